"""The peers of search_svc, as one would use them who knows them: all see names and queries in their normal form."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import tantivy
from rapidfuzz import fuzz, process

from benchmarks.search_trie import RadixTrie
from benchmarks.search_work import Entry, Work, reading_seconds
from services.search_svc.terms import normal

HITS = 10
TRIGRAM = 3


@dataclass(frozen=True)
class Built:
    """What it took to build; memory and file only where that was a process of its own that wrote a file."""

    seconds: float
    memory_mib: float = 0
    file_mib: float = 0


class Engine(Protocol):
    """`search` is what is timed: of a text as `typed` makes it, whose answer `names` turns into normal names."""

    name: str

    def build(self, work: Work) -> Built: ...

    def typed(self, query: str) -> str: ...

    def search(self, text: str) -> Any: ...

    def names(self, answer: Any) -> list[str]: ...


class Peer:
    """What the peers share: they read names, and give names."""

    def build(self, work: Work) -> Built:
        reading = reading_seconds(work.names())
        begun = time.perf_counter()
        self.fill(work.names())
        return Built(time.perf_counter() - begun - reading)

    def fill(self, entries: Iterator[Entry]) -> None:
        raise NotImplementedError

    def typed(self, query: str) -> str:
        return normal(query)

    def names(self, answer: Any) -> list[str]:
        return list(answer)


class Sqlite(Peer):
    """FTS5 with the trigram tokenizer: any trigram of the query, ranked by BM25; shorter queries are prefixes."""

    name = "SQLite FTS5, trigrams"

    def fill(self, entries: Iterator[Entry]) -> None:
        self.database = sqlite3.connect(":memory:")
        self.database.executescript("""
            CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT NOT NULL, popularity REAL NOT NULL);
            CREATE VIRTUAL TABLE found USING fts5(name, content='entry', content_rowid='id', tokenize='trigram');
        """)
        self.database.executemany("INSERT INTO entry (name, popularity) VALUES (?, ?)", entries)
        self.database.executescript("""
            INSERT INTO found (found) VALUES ('rebuild');
            INSERT INTO found (found) VALUES ('optimize');
            CREATE INDEX entry_name ON entry (name COLLATE NOCASE, popularity);
            ANALYZE;
        """)

    def search(self, text: str) -> list[str]:
        if len(text) < TRIGRAM:
            rows = self.database.execute(
                "SELECT name FROM entry WHERE name LIKE ? ORDER BY popularity DESC LIMIT ?", (f"{text}%", HITS)
            )
        else:
            trigrams = dict.fromkeys(text[at : at + TRIGRAM] for at in range(len(text) - TRIGRAM + 1))
            rows = self.database.execute(
                "SELECT name FROM found WHERE found MATCH ? ORDER BY rank LIMIT ?",
                (" OR ".join(f'"{trigram}"' for trigram in trigrams), HITS),
            )
        return [name for (name,) in rows]


class Tantivy(Peer):
    """One text field, the default tokenizer, any word or the begin of one with one typo, ranked by BM25."""

    name = "tantivy, untuned"

    def fill(self, entries: Iterator[Entry]) -> None:
        schema = tantivy.SchemaBuilder().add_text_field("name", stored=True).build()
        self.index = tantivy.Index(schema)
        writer = self.index.writer(num_threads=1)
        for name, _ in entries:
            writer.add_document(tantivy.Document(name=name))
        writer.commit()
        writer.wait_merging_threads()
        self.index.reload()
        self.searcher = self.index.searcher()

    def search(self, text: str) -> list[str]:
        query, _ = self.index.parse_query_lenient(text, ["name"], fuzzy_fields={"name": (True, 1, True)})
        hits = self.searcher.search(query, HITS, count=False).hits
        return [self.searcher.doc(address)["name"][0] for _, address in hits]


class Fuzz(Peer):
    """Every name compared with the query."""

    name = "rapidfuzz, QRatio over the list"

    def fill(self, entries: Iterator[Entry]) -> None:
        self.list = [name for name, _ in sorted(entries, key=itemgetter(1), reverse=True)]

    def search(self, text: str) -> list[str]:
        return [name for name, _, _ in process.extract(text, self.list, scorer=fuzz.QRatio, limit=HITS)]


class Trie(Peer):
    """Every name with the query as its prefix, the most popular first."""

    name = "radix trie, prefixes alone"

    def fill(self, entries: Iterator[Entry]) -> None:
        self.trie = RadixTrie(entries)

    def search(self, text: str) -> list[str]:
        found = sorted(self.trie.with_prefix(text), key=itemgetter(1), reverse=True)
        return [name for name, _ in found[:HITS]]
