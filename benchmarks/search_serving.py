"""What serves an index for `benchmarks/search_calls.py`, or echoes: a process that prints its port.

python -m benchmarks.search_serving index FILE CERTIFICATES ANSWERS_KEPT
python -m benchmarks.search_serving echo
"""

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.quota_ledger import serve_echo
from runtime import logs
from runtime.process import settled
from runtime.serve import serving
from runtime.settings import ProcessSettings
from scenemesh.search.v1 import search_pb2_grpc
from services.search_svc.cache import QueryCache
from services.search_svc.domain.entries import Kind
from services.search_svc.index.index import Index
from services.search_svc.servicer.search import SERVICE, SearchServicer


@dataclass(frozen=True)
class Always:
    """Has one index in service for good."""

    index: Index


class Forgetful:
    """Remembers no queries: what does is Redis's work, not that of a call."""

    def record(self, query: str, kinds: frozenset[Kind]) -> None:
        pass


async def serve_index(file: Path, certificates: Path, answers_kept: int) -> None:
    """Serves SearchService as `python -m services.search_svc` does."""
    index = Index.open(file)
    cache = QueryCache(entries_max=answers_kept)
    cache.swap(index.version)
    servicer = SearchServicer(Always(index), cache, Forgetful())
    register = partial(search_pb2_grpc.add_SearchServiceServicer_to_server, servicer)
    settings = ProcessSettings(certificates=certificates / "search", redis_url="unix:///nowhere")
    async with serving(settings, register, [SERVICE]) as server:
        settled()
        print(server.address.rpartition(":")[2], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    logs.configure("benchmark", "WARNING")
    match sys.argv[1:]:
        case ["echo"]:
            asyncio.run(serve_echo())
        case ["index", file, certificates, answers_kept]:
            asyncio.run(serve_index(Path(file), Path(certificates), int(answers_kept)))
