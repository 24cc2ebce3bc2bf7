import pytest

from runtime.settings import EX_CONFIG, ProcessSettings, load


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SCENEMESH_LISTEN", "nowhere")
    monkeypatch.setenv("SCENEMESH_DRAIN_SECONDS", "-1")
    monkeypatch.delenv("SCENEMESH_CERTIFICATES", raising=False)
    monkeypatch.setenv("SCENEMESH_REDIS_URL", "unix:///x")
    with pytest.raises(SystemExit) as caught:
        load(ProcessSettings)
    assert caught.value.code == EX_CONFIG
    told = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert sorted(told) == ["SCENEMESH_CERTIFICATES", "SCENEMESH_DRAIN_SECONDS", "SCENEMESH_LISTEN"]
