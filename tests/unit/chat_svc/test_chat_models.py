from services.chat_svc.domain.model import Model, Wire
from services.chat_svc.models import MODELS, reachable


def _ids(**environment: str) -> list[str]:
    return [model.id for model, _ in reachable(MODELS, environment)]


def test_a_model_counts_when_its_key_or_its_server_is_there() -> None:
    assert _ids() == []
    assert _ids(ANTHROPIC_API_KEY="k") == _ids(ANTHROPIC_BASE_URL="http://m") == ["claude-haiku-5-5"]
    assert _ids(OPENAI_API_KEY="k") == ["gpt-6-luna"]
    assert _ids(OPENAI_BASE_URL="http://m/v1") == ["openai-compatible"]
    assert _ids(OPENAI_API_KEY="k", OPENAI_BASE_URL="http://m/v1") == ["openai-compatible"]
    assert _ids(SCENEMESH_EMBEDDED_URL="http://m/v1") == ["embedded"]


def test_the_embedded_model_is_the_last_that_is_tried() -> None:
    assert _ids(SCENEMESH_EMBEDDED_URL="http://m/v1", ANTHROPIC_API_KEY="k", OPENAI_API_KEY="k") == [
        "claude-haiku-5-5",
        "gpt-6-luna",
        "embedded",
    ]


def test_the_environment_says_where_and_as_whom() -> None:
    environment = {"OPENAI_BASE_URL": "http://m/v1", "OPENAI_MODEL": "qwen", "OPENAI_API_KEY": "k"}
    assert reachable(MODELS, environment) == (
        (Model("openai-compatible", Wire.OPENAI, "qwen", "http://m/v1", 32_000, 1_024, 30.0), "k"),
    )
