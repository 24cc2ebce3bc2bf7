import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web as http
from pydantic import SecretStr

from services.search_svc.sources.source import SourceError
from services.search_svc.sources.web import GONE, Key, Unanswered, Web, web
from tests.service.search_svc.sources.fake_web import Asked, FakeWeb, Trouble, not_found, served
from tests.service.search_svc.sources.reading import IMPATIENT, NOW, QUICK

PATIENCE_SECONDS, QUIET_SECONDS = 60, 0.3
# Stalled attempts are given up after so long, and one that is answered has so long on a busy machine.
STALL_SECONDS = 4.0
SECRET = "sesame"
KEY = Key(SecretStr(SECRET), "SCENEMESH_SOME_KEY", "api_key")
NO_ANSWER = "Somebody gave no usable answer to thing: {}. Resume the sync when it answers again."


class FakeThings(FakeWeb):
    def answer(self, asked: Asked) -> http.Response:
        return http.json_response({"name": "a thing"}) if asked.path == "thing" else not_found()


@pytest.fixture
async def fake() -> AsyncIterator[FakeThings]:
    fake = FakeThings()
    async with served(("v1", fake)):
        yield fake


def somebody(fake: FakeWeb, **told: Any) -> AbstractAsyncContextManager[Web]:
    return web("Somebody", fake.url, told.pop("limits", QUICK), clock=lambda: NOW, **told)


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():
            await asyncio.sleep(0.01)


async def test_an_answer_is_json(fake: FakeThings) -> None:
    async with somebody(fake) as service:
        assert await service.json("thing", {"page": 2}) == {"name": "a thing"}
    assert [(one.path, one.query) for one in fake.asked] == [("thing", {"page": "2"})]


async def test_what_is_not_there_is_gone(fake: FakeThings) -> None:
    async with somebody(fake) as service:
        assert await service.json("nothing") is GONE
    assert fake.paths() == ["nothing"]


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(status=500),
        Trouble(status=502),
        Trouble(status=503),
        Trouble(status=504),
        Trouble(status=429),
        Trouble(cut=True),
        Trouble(stall=True),
        Trouble(body=b'{"name": "a th'),
        Trouble(body=b"<html>"),
        Trouble(body=b"\xff\xfe"),
        Trouble(body=b"[" * 100_000),
    ],
    ids=str,
)
async def test_what_passes_is_asked_again(fake: FakeThings, trouble: Trouble) -> None:
    fake.trouble("thing", trouble, trouble)
    limits = replace(QUICK, attempt_seconds=STALL_SECONDS) if trouble.stall else QUICK
    async with somebody(fake, limits=limits) as service:
        assert await service.json("thing") == {"name": "a thing"}
    assert fake.paths() == ["thing"] * 3


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (Trouble(status=500), "HTTP status 500, 3 times in a row"),
        (Trouble(status=429), "HTTP status 429, 3 times in a row"),
        (Trouble(body=b"<html>"), "the answer is not JSON, 3 times in a row"),
        (Trouble(cut=True), "the connection failed (RemoteProtocolError), 3 times in a row"),
        (Trouble(stall=True), "no whole answer within 0.3 seconds, 3 times in a row"),
    ],
    ids=str,
)
async def test_what_does_not_pass_is_given_up(fake: FakeThings, trouble: Trouble, why: str) -> None:
    fake.always("thing", trouble)
    async with somebody(fake, limits=IMPATIENT if trouble.stall else QUICK) as service:
        with pytest.raises(Unanswered) as raised:
            await service.json("thing")
    assert str(raised.value) == NO_ANSWER.format(why)
    # An attempt that is given up so soon may not have come far on a busy machine.
    assert fake.paths() == ["thing"] * 3 or trouble.stall


async def test_a_service_that_is_away_is_given_up() -> None:
    async with web("Somebody", "http://127.0.0.1:1", QUICK) as service:
        with pytest.raises(Unanswered, match=r"the connection failed \(ConnectError\), 3 times in a row"):
            await service.json("thing")


async def test_all_attempts_together_have_a_bound(fake: FakeThings) -> None:
    fake.always("thing", Trouble(stall=True))
    async with somebody(fake, limits=replace(QUICK, attempt_seconds=60, total_seconds=0.1)) as service:
        with pytest.raises(Unanswered) as raised:
            await service.json("thing")
    assert str(raised.value) == NO_ANSWER.format("not within 0.1 seconds")


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("7", 7), ("Sat, 21 Nov 2026 09:30:09 GMT", 9), ("3600", 60), ("Sat, 21 Nov 2026 09:00:00 GMT", 0), ("soon", 0)],
)
async def test_a_pause_that_is_asked_for_is_made_by_everybody(fake: FakeThings, retry_after: str, seconds: int) -> None:
    waited: list[float] = []

    async def wait(paused: float) -> None:
        waited.append(paused)

    fake.trouble("thing", Trouble(status=429, headers={"retry-after": retry_after}))
    async with somebody(fake, wait=wait) as service:
        assert await service.json("thing") == {"name": "a thing"}
        await service.json("thing")
    assert [round(one) for one in waited] == ([seconds] * 2 if seconds else [])


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_not_tried_again(fake: FakeThings, status: int) -> None:
    fake.always("thing", Trouble(status=status))
    async with somebody(fake, key=KEY) as service:
        with pytest.raises(SourceError) as raised:
            await service.json("thing")
    assert str(raised.value) == "Somebody refuses the key: check SCENEMESH_SOME_KEY, then resume the sync."
    assert not isinstance(raised.value, Unanswered)
    assert fake.paths() == ["thing"]


async def test_a_service_without_a_key_may_refuse_too(fake: FakeThings) -> None:
    fake.always("thing", Trouble(status=403))
    async with somebody(fake) as service:
        with pytest.raises(SourceError) as raised:
            await service.json("thing")
    assert str(raised.value) == (
        "Somebody refuses requests from here (HTTP status 403): ask there why, then resume the sync."
    )


@pytest.mark.parametrize("status", [204, 301, 400, 422])
async def test_any_other_status_is_no_answer(fake: FakeThings, status: int) -> None:
    fake.always("thing", Trouble(status=status, headers={"location": "/v1/nothing"} if status == 301 else {}))
    async with somebody(fake) as service:
        with pytest.raises(Unanswered) as raised:
            await service.json("thing")
    assert str(raised.value) == f"Somebody answers thing with the HTTP status {status}, which it should not."
    assert fake.paths() == ["thing"]


async def test_no_more_of_a_body_is_read_than_the_limit(fake: FakeThings) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    fake.trouble("thing", Trouble(body=bomb, headers={"content-encoding": "gzip"}))
    async with somebody(fake, limits=replace(QUICK, body_bytes_max=1_000_000)) as service:
        with pytest.raises(Unanswered) as raised:
            await service.json("thing")
    assert str(raised.value) == "Somebody's answer to thing has over 1000000 bytes."


@pytest.mark.parametrize("parameter", ["api_key", ""], ids=["in the query", "as a token"])
async def test_a_key_is_sent_and_never_told(
    fake: FakeThings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], parameter: str
) -> None:
    fake.trouble(
        "thing", *[Trouble(status=500)] * 3, *[Trouble(cut=True)] * 3, Trouble(status=401), Trouble(status=422)
    )
    told: list[str] = []
    with caplog.at_level(logging.DEBUG):
        async with somebody(fake, key=replace(KEY, parameter=parameter)) as service:
            for _ in range(4):
                with pytest.raises(SourceError) as raised:
                    await service.json("thing", {"page": 1})
                told += [str(raised.getrepr(chain=True, showlocals=False)), str(raised.value)]
    sent = [(one.query.get("api_key"), one.headers.get("authorization")) for one in fake.asked]
    assert sent == [(SECRET, None) if parameter else (None, f"Bearer {SECRET}")] * 8
    assert "HTTP Request" in caplog.text
    assert SECRET not in caplog.text + "".join(capfd.readouterr()) + "".join(told)


async def test_calls_keep_to_the_limit(fake: FakeThings) -> None:
    async with somebody(fake, limits=replace(QUICK, calls_per_second=0.001, burst=2)) as service:
        asked = [asyncio.create_task(service.json("thing")) for _ in range(5)]
        await eventually(lambda: sum(one.done() for one in asked) >= 2)
        done, waiting = await asyncio.wait(asked, timeout=QUIET_SECONDS)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert (len(done), len(fake.asked)) == (2, 2)


async def test_no_more_is_asked_at_once_than_the_limit(fake: FakeThings) -> None:
    fake.always("thing", Trouble(stall=True))
    async with somebody(fake, limits=replace(QUICK, concurrent_max=2, attempt_seconds=60)) as service:
        asked = [asyncio.create_task(service.json("thing")) for _ in range(5)]
        await eventually(lambda: len(fake.asked) >= 2)
        await asyncio.wait(asked, timeout=QUIET_SECONDS)
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    assert len(fake.asked) == 2
