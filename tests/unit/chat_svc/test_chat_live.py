import asyncio

from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.live import LiveLog


async def test_watchers_see_what_is_shown_from_where_they_left_off_until_it_closes() -> None:
    log = LiveLog()
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
    log = LiveLog()
    log.append(Began("model"))
    log.complete()
    assert await log.unshown() == 1
    log.show(1)
    assert await log.unshown() == 0
