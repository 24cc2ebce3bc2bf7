import asyncio

from services.chat_svc.answering.live import LiveLog
from services.chat_svc.domain.crowd import Crowd
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode
from services.chat_svc.domain.fault import Fault


async def test_watchers_see_what_is_shown_from_where_they_left_off_until_it_closes() -> None:
    log = LiveLog(Crowd(1))
    entries: list[Entry] = [Began("model"), Said("a"), Said("b"), Said("c")]

    async def seen(after: int) -> list[tuple[int, Entry]]:
        return [numbered async for numbered in log.follow(after)]

    async with asyncio.TaskGroup() as tasks:
        early, late = tasks.create_task(seen(0)), tasks.create_task(seen(2))
        for entry in entries:
            log.append(entry)
            log.show(await log.unshown())
        log.append(Said("never shown"))
        log.complete()
        log.close()
    assert early.result() == list(enumerate(entries, 1))
    assert late.result() == list(enumerate(entries, 1))[2:]


async def test_there_is_nothing_more_to_show_once_all_is_said() -> None:
    log = LiveLog(Crowd(1))
    log.append(Began("model"))
    log.complete()
    assert await log.unshown() == 1
    log.show(1)
    assert await log.unshown() == 0


async def test_what_comes_faster_than_it_is_shown_joins_what_waits_but_not_what_is_about_to_be_shown() -> None:
    log = LiveLog(Crowd(1))
    log.append(Began("model"))
    for _ in range(1_000):
        log.append(Said("word "))
    log.append(Seam("model", "other", Fault.CUT, SeamMode.REPLACED, 0))
    log.append(Said("a"))
    waiting = list(log.entries)
    assert waiting[:31] == [Began("model"), *[Said("word ")] * 30]
    assert waiting[31:-2] == [*[Said("word " * 80)] * 12, Said("word " * 10)]
    assert waiting[-2:] == [Seam("model", "other", Fault.CUT, SeamMode.REPLACED, 0), Said("a")]

    assert await log.unshown() == len(waiting)
    log.append(Said("b"))
    assert log.entries == [*waiting, Said("b")]


async def test_of_many_answers_each_has_its_share_of_what_may_wait() -> None:
    log = LiveLog(Crowd(16))
    for word in ("a", "b", "c", "d"):
        log.append(Said(word))
    assert log.entries == [Said("a"), Said("bcd")]
    assert await log.unshown() == 2
    log.append(Said("e"))
    assert log.entries == [Said("a"), Said("bcd"), Said("e")]
