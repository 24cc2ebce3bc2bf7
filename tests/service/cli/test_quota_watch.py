import asyncio
import signal

import grpc
import pytest

from runtime.errors import Unavailable
from scenemesh.quota.v1 import quota_pb2
from tests.service.cli.conftest import WAIT_SECONDS, Command, rows
from tests.service.cli.fake_edge import QUOTA, SPENT, Script

NOW = quota_pb2.QuotaEvent(quota=QUOTA)
THEN = quota_pb2.QuotaEvent(quota=SPENT)
FINISHED = quota_pb2.QuotaEvent(finished=quota_pb2.Finished())
FAILED = quota_pb2.QuotaEvent(
    failed=quota_pb2.Failed(reason="DATABASE_UNAVAILABLE", message="The ledger cannot be reached.")
)
CHAT = ["chat", "4", "1", "0", "5", "0", "2026-11-22 01:00"]
VOICE = ["voice", "unlimited", "0", "0", "none", "0", "never"]
EMPTY = ["chat", "0 !", "5", "0", "5", "0", "never"]


async def test_changes_are_shown_and_signs_of_life_are_not(command: Command, script: Script) -> None:
    script.quota_watches = [(NOW, NOW, THEN, FAILED)]
    ran = await command("quota", "--watch")
    assert (ran.code, rows(ran.out)) == (1, [CHAT, VOICE, EMPTY])
    assert ran.err.splitlines()[0] == "scenemesh: The ledger cannot be reached."


async def test_a_stream_that_ends_in_good_order_is_followed_by_another(command: Command, script: Script) -> None:
    script.quota_watches = [(NOW, FINISHED), (THEN, FAILED)]
    ran = await command("quota", "--watch", "--of", "alice")
    assert (ran.code, rows(ran.out)) == (1, [CHAT, VOICE, EMPTY])
    assert script.requests == [quota_pb2.WatchQuotaRequest(name="users/alice/quota")] * 2


async def test_programs_get_every_event_as_a_line(command: Command, script: Script) -> None:
    script.quota_watches = [(NOW, THEN, FINISHED), (FAILED,)]
    ran = await command("quota", "--watch", "--json")
    assert (ran.code, [next(iter(event)) for event in ran.lines]) == (1, ["quota", "quota", "finished", "failed"])
    assert ran.lines[-1]["failed"]["reason"] == "DATABASE_UNAVAILABLE"


@pytest.mark.parametrize(
    ("end", "code"),
    [((), 1), ((Unavailable("No ledger.", reason="DATABASE_UNAVAILABLE"),), 3), ((grpc.StatusCode.UNAVAILABLE,), 3)],
)
async def test_a_stream_that_breaks_off_fails(
    command: Command, script: Script, end: tuple[Unavailable | grpc.StatusCode, ...], code: int
) -> None:
    script.quota_watches = [(NOW, *end)]
    ran = await command("quota", "--watch")
    assert (ran.code, rows(ran.out)) == (code, [CHAT, VOICE])
    assert ran.err.startswith("scenemesh: ")


async def test_a_stream_without_an_event_is_no_good_end(command: Command, script: Script) -> None:
    script.quota_watches = [(NOW, FINISHED), ()]
    ran = await command("quota", "--watch")
    assert (ran.code, ran.err.splitlines()[0]) == (1, "scenemesh: The stream broke off.")


async def test_a_terminal_is_drawn_anew_in_the_same_place(command: Command, script: Script) -> None:
    script.quota_watches = [(NOW, THEN, FAILED)]
    ran = await command("quota", "--watch", TTY_COMPATIBLE="1", TERM="xterm")
    assert ran.code == 1
    assert "\x1b[1A" in ran.out


async def test_ctrl_c_ends_it_and_the_call(command: Command, script: Script) -> None:
    script.quota_watches = [(NOW, grpc.StatusCode.OK)]
    process = await command.start("quota", "--watch", "--json")
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_SECONDS):
        assert b'"users/alice/quota"' in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        await script.abandoned.wait()
    assert (process.returncode, err) == (130, b"")
