"""`scenemesh token`, in process."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
import typer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from cli.failures import EPILOG
from cli.token import token

KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with a local issuer."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "issuer.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (keys / "issuer.jwks.json").write_text(json.dumps({"keys": [{"kty": "EC", "kid": "key-1"}]}))
    return tmp_path


def ran(state: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    app = typer.Typer()
    app.command(epilog=EPILOG)(token)
    result = CliRunner().invoke(app, [*arguments, "--state", str(state)])
    return result.exit_code, result.stdout, result.stderr


def claims(signed: str) -> dict[str, object]:
    told: dict[str, object] = jwt.decode(
        signed, KEY.public_key(), ["ES256"], audience="scenemesh", issuer="https://issuer.scenemesh.local"
    )
    return told


def test_a_token_says_what_the_edge_wants_to_know(state: Path) -> None:
    code, out, err = ran(state, "--user", "olga", "--role", "operator", "--expires", "30d")
    told = claims(out.strip())
    assert (code, err) == (0, "")
    assert jwt.get_unverified_header(out.strip()) == {"alg": "ES256", "typ": "JWT", "kid": "key-1"}
    assert (told["sub"], told["role"]) == ("olga", "operator")
    assert int(str(told["exp"])) - int(str(told["iat"])) == 30 * 24 * 3600


def test_a_token_for_programs_comes_with_its_end(state: Path) -> None:
    _, out, _ = ran(state, "--json")
    told = json.loads(out)
    assert (told["user"], told["role"], claims(told["token"])["sub"]) == ("alice", "user", "alice")
    assert timedelta() < datetime.fromisoformat(told["expire_time"]) - datetime.now(UTC) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        ("0s", "A token lives for a second at least: --expires 1s."),
        ("000d", "A token lives for a second at least: --expires 1s."),
        ("-2h", "A token lives for a second at least: --expires 1s."),
        ("-0s", "A token lives for a second at least: --expires 1s."),
        ("2592001s", "A token lives at most 30 days."),
        ("9" * 5_000 + "d", "A token lives at most 30 days."),
        ("1.5h", "'1.5h' is not a duration such as 90s, 15m, 1h or 30d."),
        ("٣h", "'٣h' is not a duration such as 90s, 15m, 1h or 30d."),
        ("h", "'h' is not a duration such as 90s, 15m, 1h or 30d."),
        ("", "'' is not a duration such as 90s, 15m, 1h or 30d."),
    ],
    ids=lambda value: value[:20],
)
def test_a_lifetime_that_makes_no_valid_token_is_refused_in_a_sentence(state: Path, expires: str, told: str) -> None:
    assert ran(state, "--expires", expires) == (2, "", f"scenemesh: {told}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--user", "a b"),
        ("--user", ""),
        ("--user", "x" * 129),
        ("--expires", "31d"),
        ("--expires", "999999999d"),
        ("--expires", "soon"),
        ("--role", "god"),
    ],
)
def test_what_cannot_be_is_wrong_usage(state: Path, arguments: Sequence[str]) -> None:
    code, out, _ = ran(state, *arguments)
    assert (code, out) == (2, "")


def test_without_a_local_issuer_there_is_no_token(tmp_path: Path) -> None:
    code, out, err = ran(tmp_path)
    assert (code, out) == (3, "")
    assert err.splitlines() == [
        f"scenemesh: There is no local issuer in {tmp_path}.",
        "`scenemesh up` makes one; --state names another folder.",
    ]


@pytest.mark.parametrize(
    ("file", "content"), [("issuer.pem", "no key"), ("issuer.jwks.json", "{"), ("issuer.jwks.json", "[]")]
)
def test_a_broken_issuer_is_told_in_a_sentence(state: Path, file: str, content: str) -> None:
    (state / "keys" / file).write_text(content)
    code, out, err = ran(state)
    assert (code, out, err.startswith("scenemesh: The local issuer")) == (1, "", True)


def test_a_failure_for_programs_is_json(tmp_path: Path) -> None:
    code, out, err = ran(tmp_path, "--json")
    assert (code, json.loads(out)["error"]["code"], err) == (3, "NOT_RUNNING", "")


def test_the_help_tells_the_exit_codes(state: Path) -> None:
    _, out, _ = ran(state, "--help")
    assert "5 quota exhausted" in " ".join(out.replace("│", " ").split())
