import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from mesh.certificates import CertificatesError, issue, main

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def test_a_certificate_says_who_its_process_is(tmp_path: Path) -> None:
    issue(tmp_path, ["chat"], "scenemesh.local", NOW)
    names = certificate(tmp_path / "chat" / "cert.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://scenemesh.local/chat"]
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(ip) for ip in names.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_a_certificate_is_good_for_both_ends_of_a_connection(tmp_path: Path) -> None:
    issue(tmp_path, ["chat"], "scenemesh.local", NOW)
    policy = PolicyBuilder().store(Store([certificate(tmp_path / "chat" / "ca.pem")])).time(NOW + timedelta(days=1))
    leaf = certificate(tmp_path / "chat" / "cert.pem")
    assert policy.build_server_verifier(x509.DNSName("localhost")).verify(leaf, [])
    assert policy.build_client_verifier().verify(leaf, []).subjects


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    issue(tmp_path, ["chat"], "scenemesh.local", NOW)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("**/*.pem")}
    assert modes == {"ca.key.pem": 0o600, "key.pem": 0o600, "ca.pem": 0o644, "cert.pem": 0o644}


def test_an_authority_is_kept_and_its_leaves_are_made_anew(tmp_path: Path) -> None:
    issue(tmp_path, ["chat"], "scenemesh.local", NOW)
    files = [tmp_path / "ca.pem", tmp_path / "ca.key.pem", tmp_path / "chat" / "cert.pem"]
    before = [file.read_bytes() for file in files]
    issue(tmp_path, ["chat", "quota"], "scenemesh.local", NOW)
    assert [file.read_bytes() == old for file, old in zip(files, before, strict=True)] == [True, True, False]
    assert (tmp_path / "quota" / "ca.pem").read_bytes() == before[0]


@pytest.mark.parametrize("name", ["", "../chat", "Chat", "a/b", "-x"])
def test_a_name_that_could_mean_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CertificatesError, match="not a process's name"):
        issue(tmp_path, [name], "scenemesh.local", NOW)
    assert list(tmp_path.iterdir()) == []


def test_half_an_authority_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    issue(tmp_path, ["chat"], "scenemesh.local", NOW)
    (tmp_path / "ca.key.pem").unlink()
    assert main(["--directory", str(tmp_path), "chat"]) == 1
    assert capsys.readouterr().err == f"certificates: {tmp_path} has only one of ca.pem and ca.key.pem\n"


def test_a_key_of_another_authority_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        issue(tmp_path / name, ["chat"], "scenemesh.local", NOW)
    (tmp_path / "one" / "ca.key.pem").write_bytes((tmp_path / "two" / "ca.key.pem").read_bytes())
    with pytest.raises(CertificatesError, match="is not the key of"):
        issue(tmp_path / "one", ["chat"], "scenemesh.local", NOW)


def test_the_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert (ended.value.code, "--directory" in capsys.readouterr().out) == (0, True)
