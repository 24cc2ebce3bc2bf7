import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers, logging.root.level = handlers, level


def test_a_line_is_json_that_names_its_process(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("quota", "INFO")
    structlog.get_logger().info("rpc", code="OK")
    line = json.loads(capsys.readouterr().err)
    assert {key: line[key] for key in ("process", "event", "code", "level")} == {
        "process": "quota",
        "event": "rpc",
        "code": "OK",
        "level": "info",
    }


def test_secrets_do_not_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("chat", "INFO")
    structlog.get_logger().info("x", authorization="Bearer abc", api_key="sk_1", text="my secret", prompt="p")
    told = capsys.readouterr().err
    assert not any(secret in told for secret in ("abc", "sk_1", "my secret", '"p"'))


def test_libraries_log_in_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("chat", "INFO")
    logging.getLogger("library").warning("careful")
    assert json.loads(capsys.readouterr().err)["event"] == "careful"
