import json
from pathlib import Path

import pytest

from cli.local.logs import Follower, Line, last_words, shown


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {
                "event": "rpc",
                "rpc": "scenemesh.chat.v1.ChatService/SendMessage",
                "code": "OK",
                "duration_ms": 8.1,
                "level": "info",
            },
            Line("chat", "info", "SendMessage OK 8.1 ms"),
        ),
        (
            {"event": "lease not renewed", "level": "warning", "error": "x"},
            Line("chat", "warning", "lease not renewed error=x"),
        ),
        ({"event": "serving", "level": "info"}, None),
        ({"event": "rpc", "rpc": "envoy.service.auth.v3.Authorization/Check", "level": "info"}, None),
    ],
)
def test_a_person_sees_calls_of_ours_and_what_is_wrong(entry: dict[str, object], line: Line | None) -> None:
    assert shown("chat", json.dumps(entry)) == line


def test_what_is_no_json_is_not_shown() -> None:
    assert shown("envoy", "[2026-11-21] starting") is None


def test_a_follower_gives_each_line_once_and_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "quota.log"
    follower = Follower(tmp_path)
    line = json.dumps({"event": "bad", "level": "error"})
    log.write_text(line + "\n" + line[:5])
    assert [one.text for one in follower.lines()] == ["bad"]
    assert list(follower.lines()) == []
    with log.open("a") as file:
        file.write(line[5:] + "\n")
    assert [one.text for one in follower.lines()] == ["bad"]


def test_last_words_are_the_last_line(tmp_path: Path) -> None:
    log = tmp_path / "chat.log"
    log.write_text("first\nValueError: the last\n\n")
    assert last_words(log) == "ValueError: the last"
    assert last_words(tmp_path / "nothing.log") == ""
