"""The engines that `benchmarks/search.py` compares."""

import json
import subprocess
import sys

from benchmarks.search_peers import HITS, Built, Engine, Fuzz, Sqlite, Tantivy, Trie
from benchmarks.search_work import Work
from services.search_svc.domain.found import Found
from services.search_svc.index.index import Index
from services.search_svc.terms import normal


class Ours:
    """The index of search_svc: built in another process, then opened, as the service does it."""

    name = "search_svc"

    def build(self, work: Work) -> Built:
        command = [sys.executable, "-m", "benchmarks.search_build", str(work.folder)]
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        self.index = Index.open(work.index)
        return Built(said["seconds"], said["memory_mib"], work.index.stat().st_size / 2**20)

    def typed(self, query: str) -> str:
        return query

    def search(self, text: str) -> Found:
        return self.index.search(text, limit=HITS)

    def names(self, answer: Found) -> list[str]:
        return [normal(hit.name) for hit in answer.hits]


ENGINES: dict[str, type[Engine]] = {"sqlite": Sqlite, "tantivy": Tantivy, "fuzz": Fuzz, "trie": Trie, "ours": Ours}
