"""How fast webhooks are acknowledged: billing_svc over gRPC and through Envoy, beside a FastAPI endpoint.

    python -m benchmarks.billing [--seconds 4] [--rounds 3] [--burst 5000] [--write docs/performance.md]

Every contender checks Stripe's signature and keeps each event in the same PostgreSQL, with fsync on, before it answers;
the figures are medians of rounds in turn. The peer gets a virtual environment of its own, which pip fills. `--burst 0`
leaves out the burst.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import report
from benchmarks.billing_burst import bursts
from benchmarks.billing_contenders import Contender, direct, fastapi, ours, posted
from benchmarks.billing_edge import edge, proxy
from runtime import logs
from tests.harness import engines

AT_ONCE = (1, 16, 64)
PATH = "/v1/webhooks/stripe"
PEER_PATH = "/webhooks/stripe"


async def throughput(options: argparse.Namespace, dsn: str, directory: Path) -> list[Contender]:
    """All contenders, measured; first the peer, then those that stand beside it."""
    certificates = directory / "certificates"
    async with AsyncExitStack() as stack:
        port = stack.enter_context(fastapi(dsn, options.environment or directory / "peer"))
        address, _ = stack.enter_context(ours(dsn, certificates))
        proxied = await stack.enter_async_context(proxy(directory / "proxy", port))
        public = await stack.enter_async_context(edge(directory, certificates, address))
        contenders = [
            await stack.enter_async_context(contender)
            for contender in (
                posted("FastAPI", f"127.0.0.1:{port}", PEER_PATH),
                direct(address, certificates),
                posted("FastAPI behind Envoy", proxied, PEER_PATH),
                posted("billing_svc behind Envoy", public, PATH),
            )
        ]
        for index, contender in enumerate(contenders):
            contender.sent = index * 10**9
        for number in range(options.rounds):
            for at_once in AT_ONCE:
                for contender in contenders:
                    result = await contender.measured(options.seconds, at_once)
                    told = f"round {number + 1}, {at_once} at once: {contender.name}"
                    print(f"{told}: {result.per_second:,.0f}/s, p99 {result.p99_ms:.1f} ms", file=sys.stderr)
    return contenders


async def main(options: argparse.Namespace) -> int:
    logs.configure("benchmark", "WARNING")
    with tempfile.TemporaryDirectory() as name, engines.postgres(Path(name) / "postgres") as dsn:
        directory = Path(name)
        making = [sys.executable, "-m", "mesh.certificates", "--directory", str(directory / "certificates")]
        subprocess.run([*making, "edge", "billing", "mesh"], check=True)  # noqa: ASYNC221 (nothing else runs yet)
        contenders = await throughput(options, dsn, directory)
        drained = await bursts(dsn, directory, options.burst) if options.burst else []
    table = report.billing({one.name: {at: one.median(at) for at in AT_ONCE} for one in contenders}, drained)
    print(table)
    if options.write:
        report.put(options.write, "billing", table)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4, help="of each round")
    parser.add_argument("--rounds", type=int, default=3, help="whose medians are taken")
    parser.add_argument("--burst", type=int, default=5000, help="events that come at once")
    parser.add_argument("--environment", type=Path, help="keep the peer's virtual environment there, for the next run")
    parser.add_argument("--write", type=Path, help="the page whose table is written anew")
    sys.exit(asyncio.run(main(parser.parse_args())))
