"""How much later words come through chat_svc: our whole path, beside LiteLLM's proxy, beside no proxy at all.

    python -m benchmarks.chat [--rounds 3] [--turns 1000] [--streams-max 500] [--write docs/performance.md]

One pretended model provider, a process of its own, stands behind all three: asked directly, through LiteLLM's proxy
with one worker, and through a stack of `scenemesh up` with one replica of each service: the edge's Envoy, chat_svc,
OpenAI's SDK, with the ledger and the database. One raw HTTP client reads them all. Figures are medians of rounds in
turn. The proxy gets a virtual environment of its own, which pip fills.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path as Folder

from benchmarks import report
from benchmarks.billing_contenders import process
from benchmarks.chat_contender import AT_ONCE, Contender
from benchmarks.chat_litellm import environment, litellm
from benchmarks.chat_measure import PACE_MS, closed, idle, memory
from benchmarks.chat_paths import Completions, Ours, Path
from tests.e2e.stack import running

# Under which memory is looked at.
TURN_PIECES = 64


@asynccontextmanager
async def contenders(options: argparse.Namespace, directory: Folder) -> AsyncIterator[tuple[str, list[Contender]]]:
    """The provider's address and the three paths, the direct one first and ours last."""
    commands = environment(options.environment or directory / "peer")
    with process(sys.executable, "-m", "benchmarks.chat_provider") as (port, pid):
        provider = f"127.0.0.1:{port}"
        model = {"OPENAI_BASE_URL": f"http://{provider}/v1", "OPENAI_API_KEY": "none", "OPENAI_MODEL": "mock"}
        async with (
            litellm(commands, directory / "litellm", provider) as (proxy, proxy_pid),
            running(directory / "stack", environment=model) as stack,
        ):
            paths: list[Path] = [
                Completions("direct", provider, pid),
                Completions("LiteLLM", proxy, proxy_pid),
                Ours(stack),
            ]
            yield provider, [Contender(path) for path in paths]


async def main(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as name:
        async with contenders(options, Folder(name)) as (provider, all_of_them):
            for one in all_of_them:
                # Connections, code and caches are warm from here on.
                await closed(one.path, AT_ONCE, 4 * AT_ONCE, 8, PACE_MS)
            for _ in range(options.rounds):
                for one in all_of_them:
                    await one.round()
            for one in all_of_them[1:]:
                one.idle = await idle(one.path, provider, min(options.idle, options.streams_max))
                one.tell(f"KiB for an idle stream: {one.idle}")
            for one in all_of_them:
                await one.climbed(provider, options.streams_max, options.seconds)
            for one in all_of_them[1:] if options.turns else []:
                one.memory = await memory(one.path, AT_ONCE, options.turns, TURN_PIECES)
                one.tell(f"MiB: {one.memory[0]} before, {one.memory[-1]} after {options.turns:,} turns")
    table = report.chat(all_of_them, options.turns)
    print(table)
    if options.write:
        report.put(options.write, "chat", table)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="whose medians are taken")
    parser.add_argument("--seconds", type=float, default=5, help="for which live streams are looked at")
    parser.add_argument("--streams-max", type=int, default=500, help="that are tried at once")
    parser.add_argument("--idle", type=int, default=300, help="streams that are held open to see what one takes")
    parser.add_argument("--turns", type=int, default=1000, help="under which memory is looked at")
    parser.add_argument(
        "--environment", type=Folder, help="keep the peer's virtual environment there, for the next run"
    )
    parser.add_argument("--write", type=Folder, help="the page whose table is written anew")
    sys.exit(asyncio.run(main(parser.parse_args())))
