"""What real providers sent that is no stream of either wire: an error is what its status says, and the rest no answer.

It stands in the folder that SCENEMESH_STREAMS names; see `recorded`.
"""

from collections.abc import AsyncIterator

import pytest

from services.chat_svc.domain.fault import ModelFault, NotLetIn, Rejected
from services.chat_svc.domain.model import Wire
from tests.service.chat_svc.recorded import Read, Replayer, needs_recorded, read, recorded, replaying

pytestmark = needs_recorded

WIRES = [Wire.ANTHROPIC, Wire.OPENAI]
FAULTS = {400: Rejected, 401: NotLetIn, 404: NotLetIn}


@pytest.fixture(scope="module")
async def replayer() -> AsyncIterator[Replayer]:
    async with replaying() as replayer:
        yield replayer


async def _found(wire: Wire, replayer: Replayer) -> object:
    try:
        return await read(wire, replayer)
    except ModelFault as fault:
        return type(fault)


@pytest.mark.parametrize("wire", WIRES)
async def test_a_recorded_error_is_the_fault_that_its_status_says(replayer: Replayer, wire: Wire) -> None:
    errors = recorded("error_json.jsonl.gz")
    found = {}
    for error in errors:
        replayer.sends(error, "application/json")
        found[error.name] = await _found(wire, replayer)
    assert found == {error.name: FAULTS[error.status] for error in errors}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("file", ["anthropic_message_json.jsonl.gz", "openai_chat_completion_json.jsonl.gz"])
async def test_an_answer_that_is_no_stream_is_no_answer(replayer: Replayer, wire: Wire, file: str) -> None:
    bodies = recorded(file)
    found = {}
    for body in bodies:
        replayer.sends(body, "application/json")
        found[body.name] = await _found(wire, replayer)
    assert {name: what for name, what in found.items() if not _is_fault(what)} == {}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "file", ["openai_responses.jsonl.gz", "openai_assistants.jsonl.gz", "openai_text_completions.jsonl.gz"]
)
async def test_a_stream_of_another_protocol_is_no_answer(replayer: Replayer, wire: Wire, file: str) -> None:
    streams = recorded(file)
    found = {}
    for stream in streams:
        replayer.sends(stream)
        found[stream.name] = await _found(wire, replayer)
    assert {name: what for name, what in found.items() if not _is_fault(what) and not _is_empty(what)} == {}


def _is_fault(what: object) -> bool:
    return isinstance(what, type) and issubclass(what, ModelFault)


def _is_empty(what: object) -> bool:
    """Whether it ended with nothing said, which is a fault to whoever asked."""
    return isinstance(what, Read) and what.ending is not None and what.text == ""
