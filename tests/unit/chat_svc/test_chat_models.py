import dataclasses
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from runtime.contract import Contract, descriptor_set_path
from services.chat_svc.domain.changes import TEXT_MAX
from services.chat_svc.domain.ending import estimated_tokens
from services.chat_svc.domain.hedging import Hedging
from services.chat_svc.domain.model import SILENCE_SECONDS_MAX, Capability, Class, Limits, Model, Prices, Wire
from services.chat_svc.domain.outcome import Usage
from services.chat_svc.models.models import MODELS, ModelsError, reached
from tests.unit.chat_svc.models import model

ENTRY = """
[[model]]
id = "one"
wire = "openai"
key_variable = "ONE_KEY"
class = "standard"
context_tokens = 8_000
output_tokens_max = 500
first_word_seconds = 30
idle_seconds = 20
tokens_per_turn = 1_000
"""


def reachable(path: Path, environment: Mapping[str, str]) -> tuple[tuple[Model, str], ...]:
    return reached(path, environment).models


def ids(**environment: str) -> list[str]:
    return [model.id for model, _ in reachable(MODELS, environment)]


def faults(directory: Path, text: str) -> list[str]:
    file = directory / "models.toml"
    file.write_text(text)
    with pytest.raises(ModelsError) as refusal:
        reachable(file, {})
    return refusal.value.faults


def test_a_model_counts_when_its_key_or_its_server_is_there() -> None:
    assert ids() == []
    assert ids(ANTHROPIC_API_KEY="k") == ids(ANTHROPIC_BASE_URL="http://m") == ["claude-haiku-5-5", "claude-sonnet-5-5"]
    assert ids(OPENAI_API_KEY="k") == ["gpt-6-luna", "gpt-6.2-sol"]
    assert ids(OPENAI_BASE_URL="http://m/v1") == ["openai-compatible"]
    assert ids(OPENAI_API_KEY="k", OPENAI_BASE_URL="http://m/v1") == ["openai-compatible"]
    assert ids(AZURE_OPENAI_API_KEY="k") == []
    assert ids(AZURE_OPENAI_API_KEY="k", AZURE_OPENAI_BASE_URL="http://m/v1") == ["azure-openai"]
    assert ids(GEMINI_API_KEY="k") == ["gemini-3.8-flash", "gemini-3.1-pro"]
    assert ids(DEEPSEEK_API_KEY="k", GROQ_API_KEY="k") == ["deepseek-flash", "groq"]
    assert ids(OPENROUTER_API_KEY="k") == ["openrouter"]
    assert ids(SCENEMESH_EMBEDDED_URL="http://m/v1") == ["embedded"]


def test_the_environment_says_where_and_as_whom() -> None:
    environment = {"OPENAI_BASE_URL": "http://m/v1", "OPENAI_MODEL": "qwen", "OPENAI_API_KEY": "k"}
    limits = Limits(first_word_seconds=30.0, idle_seconds=20.0)
    assert reachable(MODELS, environment) == (
        (Model("openai-compatible", Wire.OPENAI, "qwen", "http://m/v1", 32_000, 1_024, limits), "k"),
    )


def test_an_entry_says_what_a_model_is() -> None:
    ((found, key),) = reachable(MODELS, {"ANTHROPIC_API_KEY": "k"})[1:]
    assert (found, key) == (
        Model(
            id="claude-sonnet-5-5",
            wire=Wire.ANTHROPIC,
            provider_model="claude-sonnet-5-5",
            base_url="",
            context_tokens=200_000,
            output_tokens_max=2_048,
            limits=Limits(30.0, 20.0),
            model_class=Class.PREMIUM,
            prices=Prices(Decimal("2.00"), Decimal("0.10"), Decimal("10.00")),
            capabilities=frozenset({Capability.VISION, Capability.TOOLS}),
            tokens_per_turn=500,
        ),
        "k",
    )


def test_a_server_whose_address_is_always_the_same_stands_in_the_file() -> None:
    ((found, _),) = reachable(MODELS, {"DEEPSEEK_API_KEY": "k"})
    assert found.base_url == "https://api.deepseek.com"


def test_the_embedded_model_alone_is_a_last_resort() -> None:
    variables = re.findall(r'^(?:key|base_url)_variable = "(.*)"$', MODELS.read_text(), re.MULTILINE)
    everywhere = [dict.fromkeys(variables, "http://m/v1"), {name: "k" for name in variables if name.endswith("_KEY")}]
    found = {one.id: one for environment in everywhere for one, _ in reachable(MODELS, environment)}
    assert len(found) == MODELS.read_text().count("[[model]]")
    assert [one.id for one in found.values() if one.last_resort] == ["embedded"]
    assert {one.tokens_per_turn for one in found.values() if one.model_class is Class.PREMIUM} == {500}


def test_every_fault_of_a_file_is_named(tmp_path: Path) -> None:
    text = ENTRY + ENTRY.replace("8_000", "300").replace('"openai"', '"telex"').replace("idle", "idling")
    text += ENTRY.replace('id = "one"', 'id = "Two!"').replace("tokens_per_turn = 1_000", "tokens_per_turn = 0")
    assert sorted(faults(tmp_path, text)) == [
        "models.toml: model.Two!.id: String should match pattern '^[a-z0-9]+([.-][a-z0-9]+)*$'",
        "models.toml: model.Two!.tokens_per_turn: Input should be greater than or equal to 1",
        "models.toml: model.one.context_tokens: Input should be greater than or equal to 512",
        "models.toml: model.one.idle_seconds: Field required",
        "models.toml: model.one.idling_seconds: Extra inputs are not permitted",
        "models.toml: model.one.wire: Input should be 'anthropic' or 'openai'",
        "models.toml: model.one: stands there more than once",
    ]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('base_url = "http://m"\nbase_url_variable = "URL"', "takes either a base_url or a base_url_variable"),
        ("base_url_required = true", "needs a base_url_variable, because its base URL is required"),
        (
            "window_tokens = 7_501",
            "has a larger window than room: window_tokens is more than context_tokens without output_tokens_max",
        ),
    ],
)
def test_an_entry_must_make_sense(tmp_path: Path, lines: str, fault: str) -> None:
    assert faults(tmp_path, ENTRY + lines) == [f"models.toml: model.one: Value error, {fault}"]


def test_an_entry_leaves_room_for_a_prompt_and_can_be_reached(tmp_path: Path) -> None:
    text = ENTRY.replace('key_variable = "ONE_KEY"', "").replace("500", "8_000")
    assert faults(tmp_path, text)[0].removeprefix("models.toml: model.one: Value error, ").split("; ") == [
        "needs a key_variable or a base_url_variable, or nothing says that it can be reached",
        "leaves no room for a prompt: output_tokens_max is not less than context_tokens",
    ]


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("prices = { input = -1, cached = 0, output = 1 }", "prices.input: Input should be greater than or equal to 0"),
        ("prices = { input = 1, output = 1 }", "prices.cached: Field required"),
        ("prices = { input = nan, cached = 0, output = 1 }", "prices.input: Input should be a finite number"),
        ('base_url = "m.example/v1"', "base_url: Input should be a valid URL, relative URL without a base"),
        ('base_url = "http://[m"', "base_url: Input should be a valid URL, invalid IPv6 address"),
        ('model_variable = "a-b"', "model_variable: String should match pattern '^([A-Z][A-Z0-9_]*)?$'"),
        ("window_tokens = 255", "window_tokens: Input should be greater than or equal to 256"),
        ('capabilities = ["flying"]', "capabilities.0: Input should be 'vision', 'prefill' or 'tools'"),
    ],
)
def test_what_an_entry_may_not_say(tmp_path: Path, lines: str, place: str) -> None:
    assert faults(tmp_path, ENTRY + lines) == [f"models.toml: model.one.{place}"]


@pytest.mark.parametrize("name", ["first_word_seconds", "idle_seconds"])
def test_a_model_may_not_be_silent_for_longer_than_an_answer(tmp_path: Path, name: str) -> None:
    (tmp_path / "models.toml").write_text(re.sub(rf"{name} = \d+", f"{name} = 50", ENTRY))
    ((found, _),) = reachable(tmp_path / "models.toml", {"ONE_KEY": "k"})
    assert SILENCE_SECONDS_MAX in (found.limits.first_word_seconds, found.limits.idle_seconds)
    assert faults(tmp_path, re.sub(rf"{name} = \d+", f"{name} = 50.1", ENTRY)) == [
        f"models.toml: model.one.{name}: Input should be less than or equal to 50"
    ]


def test_an_answer_is_silent_for_less_than_the_contract_lets_its_stream_be() -> None:
    methods = {method.name: method for method in Contract.load(descriptor_set_path()) if method.cluster == "chat"}
    for rpc in ("SendMessage", "RegenerateMessage", "RewriteMessage", "WatchMessage"):
        limit = methods[rpc].policy.idle_timeout
        assert limit is not None
        assert limit.total_seconds() > SILENCE_SECONDS_MAX


def test_an_address_in_the_environment_must_be_one() -> None:
    with pytest.raises(ModelsError) as refusal:
        reachable(MODELS, {"OPENAI_BASE_URL": "localhost:8000/v1", "SCENEMESH_EMBEDDED_URL": "http://m/v1"})
    assert refusal.value.faults == [
        "models.toml: model.openai-compatible: OPENAI_BASE_URL: URL scheme should be 'http' or 'https'"
    ]


def test_a_file_without_models_is_none(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == ["models.toml: model: Field required"]
    assert faults(tmp_path, "model = [3]") == [
        "models.toml: model.0: Input should be a valid dictionary or instance of ModelEntry"
    ]
    assert faults(tmp_path, "[[model]\n")[0].startswith("models.toml: Expected ']]'")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match=r"models\.toml: No such file"):
        reachable(tmp_path / "models.toml", {})
    (tmp_path / "models.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelsError, match="codec can't decode"):
        reachable(tmp_path / "models.toml", {})


def test_an_answer_costs_what_its_tokens_do() -> None:
    prices = Prices(Decimal("2.00"), Decimal("0.10"), Decimal("10.00"))
    assert prices.cost(Usage(1_000, 100, cached_tokens=600)) == Decimal("0.00186")
    assert prices.cost(Usage(0, 0)) == Decimal(0)
    assert prices.cost(Usage(100, 0, cached_tokens=200)) == Decimal("0.00002")


def test_a_prompt_has_what_the_plan_allows_and_the_model_holds() -> None:
    holds = dataclasses.replace(model(), context_tokens=10_000, output_tokens_max=1_000)
    assert [holds.prompt_tokens_max(entitled) for entitled in (4_000, 12_000)] == [4_000, 9_000]


def test_a_prompt_is_filled_up_to_the_models_window_and_may_be_longer() -> None:
    holds = dataclasses.replace(model(), context_tokens=10_000, output_tokens_max=1_000, window_tokens=5_000)
    assert ([holds.prompt_tokens_max(entitled) for entitled in (4_000, 12_000)], holds.room) == ([4_000, 5_000], 9_000)


def test_the_embedded_model_has_room_for_the_longest_message_of_our_letters() -> None:
    ((embedded, _),) = reachable(MODELS, {"SCENEMESH_EMBEDDED_URL": "http://m/v1"})
    # Its server's own, unless it is told another.
    assert (embedded.context_tokens, embedded.prompt_tokens_max(12_000)) == (4_096, 1_920)
    assert embedded.room > estimated_tokens("x" * TEXT_MAX) + 1_000


def test_hedging_is_off_unless_the_file_has_it(tmp_path: Path) -> None:
    assert reached(MODELS, {}).hedging is None
    file = tmp_path / "models.toml"
    file.write_text(ENTRY + "[hedging]\nafter_times = 2.5\nbudget_percent = 5\n")
    assert reached(file, {}).hedging == Hedging(after_times=2.5, budget_percent=5)


def test_the_head_of_the_file_says_how_to_hedge(tmp_path: Path) -> None:
    words = re.findall(r"^#   (\[hedging\]|(?:after|budget)\w+ = \d+)", MODELS.read_text(), re.MULTILINE)
    file = tmp_path / "models.toml"
    file.write_text("\n".join([*words, MODELS.read_text()]))
    assert reached(file, {}).hedging == Hedging(after_times=3.0, budget_percent=5)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("after_times = 0.5\nbudget_percent = 5", "after_times: Input should be greater than or equal to 1"),
        ("after_times = 3\nbudget_percent = 0", "budget_percent: Input should be greater than or equal to 1"),
        ("after_times = 3", "budget_percent: Field required"),
        ("after_times = 3\nbudget_percent = 5\nmodels = 2", "models: Extra inputs are not permitted"),
    ],
)
def test_what_hedging_may_not_say(tmp_path: Path, lines: str, place: str) -> None:
    assert faults(tmp_path, f"{ENTRY}[hedging]\n{lines}\n") == [f"models.toml: hedging.{place}"]
