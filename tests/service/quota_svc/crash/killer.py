"""kill -9, so and so often, at whom and when chance will have it."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random


async def kill(victims: Sequence[Callable[[], None]], seconds: float, kills: int, random: Random) -> None:
    """So many kills in so many seconds, each of whichever victim chance picks, wherever in its life it is."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for moment in sorted(random.uniform(0, seconds) for _ in range(kills)):
        await asyncio.sleep(begin + moment - loop.time())
        random.choice(victims)()
    await asyncio.sleep(begin + seconds - loop.time())
