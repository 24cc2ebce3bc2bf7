import json
from pathlib import Path

import pytest

from cli import client
from cli.client import Client, target
from cli.failures import ExitCode, Failure


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("http://localhost:8080", ("http", "localhost:8080")),
        ("http://localhost:8080/", ("http", "localhost:8080")),
        ("http://[::1]:8080", ("http", "[::1]:8080")),
        ("http://mesh.example", ("http", "mesh.example:80")),
        ("https://mesh.example", ("https", "mesh.example:443")),
    ],
)
def test_a_url_names_a_host_and_a_port(url: str, reached: tuple[str, str]) -> None:
    assert target(url) == reached


@pytest.mark.parametrize(
    "url", ["localhost:8080", "http://", "ftp://x", "http://x:p", "http://x:99999", "http://[x", " "]
)
def test_what_is_no_url_is_wrong_usage(url: str) -> None:
    with pytest.raises(Failure) as raised:
        target(url)
    assert raised.value.exit_code is ExitCode.USAGE


def test_a_given_url_and_token_need_no_state(tmp_path: Path) -> None:
    assert client.somebody(tmp_path, "http://x:1", "a.b.c", None) == Client("http://x:1", "a.b.c")


def test_the_state_folder_tells_where_the_edge_is(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "stack.json").write_text(json.dumps({"url": "http://localhost:1", "processes": []}))
    assert client.anybody(tmp_path, None) == Client("http://localhost:1")


@pytest.mark.parametrize("content", ["{", "[]", '{"port": 1}'])
def test_a_stack_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "stack.json").write_text(content)
    with pytest.raises(Failure, match="cannot be read"):
        client.anybody(tmp_path, None)


@pytest.mark.parametrize("token", ["ü", "a b", "a\nb", ""])
def test_a_token_that_no_header_can_carry_is_wrong_usage(tmp_path: Path, token: str) -> None:
    with pytest.raises(Failure) as raised:
        client.somebody(tmp_path, "http://x:1", token, None)
    assert raised.value.exit_code is ExitCode.USAGE


def test_a_token_and_a_user_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(Failure) as raised:
        client.somebody(tmp_path, "http://x:1", "a.b.c", "bob")
    assert raised.value.exit_code is ExitCode.USAGE


def test_a_token_does_not_show_in_what_is_printed_of_a_client() -> None:
    assert "a.b.c" not in repr(Client("http://x:1", "a.b.c"))
