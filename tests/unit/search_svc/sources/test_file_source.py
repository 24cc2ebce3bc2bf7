import asyncio
import gzip
import json
import re
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.domain.sync import Format, Mode
from services.search_svc.sources.file import FileSource
from services.search_svc.sources.file.slugs import digest
from services.search_svc.sources.source import Batch, Fault, Json, SourceError

MATRIX = Title(
    id="mine-m1",
    name="The Matrix",
    kind=Kind.FILM,
    year=1999,
    aliases=("Matrix", "マトリックス"),
    popularity=88.5,
    characters=(
        Character(
            f"mine-neo-{digest('m1', 'neo')}",
            "Neo",
            ("The One", "Thomas Anderson"),
            "A hacker who doubts what he sees.",
            88.5,
            (Actor("mine-keanu-reeves", "Keanu Reeves"), Actor("mine-someone-else", "Someone Else")),
        ),
        Character(f"mine-trinity-{digest('m1', 'trinity')}", "Trinity", (), "", 42.0),
    ),
    overview="A hacker learns the truth.",
)
HEIDI = Title("mine-heidi-1974", "Heidi", Kind.ANIME, 1974, (), 1.0, adult=True)

CSV = """\
kind,id,name,year,aliases,popularity,adult,overview,title,persona,actors
film,m1,The Matrix,1999,Matrix|マトリックス,88.5,,A hacker learns the truth.,,,
anime,,Heidi,1974,,,true,,,,
character,,Neo,,The One | Thomas Anderson,,,,m1,A hacker who doubts what he sees.,Keanu Reeves
character,,Trinity,,,42,,,the matrix,,
character,,Neo,,,,,,The Matrix,,Someone Else
"""
JSONL = [
    {
        "id": "m1",
        "name": "The Matrix",
        "year": 1999,
        "aliases": ["Matrix", "マトリックス"],
        "popularity": 88.5,
        "overview": "A hacker learns the truth.",
        "characters": [
            {
                "name": "Neo",
                "aliases": ["The One", "Thomas Anderson"],
                "persona": "A hacker who doubts what he sees.",
                "actors": ["Keanu Reeves", "Someone Else"],
            }
        ],
    },
    {"kind": "character", "name": "Trinity", "title": "The Matrix", "popularity": 42},
    {"kind": "anime", "name": "Heidi", "year": "1974", "adult": True},
]


def source(content: bytes, kind: Format = Format.CSV, *, gz: bool = False, chunk_bytes: int = 7) -> FileSource:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), chunk_bytes):
            yield content[start : start + chunk_bytes]

    return FileSource("mine", kind, gz, chunks)


async def batches(of: FileSource, cursor: Mapping[str, Json] | None = None) -> list[Batch]:
    async with aclosing(of.batches(Mode.FULL, cursor or {}, 0, None)) as brought:
        return [batch async for batch in brought]


async def titles(of: FileSource) -> list[Title]:
    return [title for batch in await batches(of) for title in batch.titles]


async def faults(of: FileSource) -> list[tuple[str, str]]:
    return [(fault.place, fault.description) for batch in await batches(of) for fault in batch.faults]


def rows(*objects: Any) -> bytes:
    return "".join(f"{json.dumps(one)}\n" for one in objects).encode()


def test_a_file_is_all_of_its_collection() -> None:
    one = source(b"")
    assert (one.name, one.precedence, one.complete) == ("file:mine", 10, True)


async def test_csv_rows_become_titles_with_their_characters() -> None:
    assert await batches(source(CSV.encode())) == [
        Batch({"line": 6}, "rows", 5, 0),
        Batch({"line": 6, "title": 2}, "titles", 2, 2, titles=(MATRIX, HEIDI)),
    ]


async def test_jsonl_rows_become_titles_with_characters_inside_and_out() -> None:
    assert await titles(source(rows(*JSONL), Format.JSONL)) == [MATRIX, HEIDI]


@pytest.mark.parametrize("chunk_bytes", [1, 64, 100_000])
async def test_how_a_file_is_cut_in_pieces_does_not_matter(chunk_bytes: int) -> None:
    content = b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode()
    packed = gzip.compress(content[:100]) + gzip.compress(content[100:]) + b"\0" * 5
    for one in (source(content, chunk_bytes=chunk_bytes), source(packed, gz=True, chunk_bytes=chunk_bytes)):
        assert await titles(one) == [MATRIX, HEIDI]


async def test_characters_may_come_before_their_title() -> None:
    header, matrix, heidi, *characters = CSV.splitlines(keepends=True)
    assert await titles(source("".join([header, *characters, matrix, heidi]).encode())) == [MATRIX, HEIDI]


async def test_a_field_may_have_line_breaks_and_quotation_marks() -> None:
    content = b'name,overview,year\n"Luther, Martin","He said ""no"".\nThey\n\nlistened.",2003\n'
    assert await titles(source(content)) == [
        Title(
            "mine-luther-martin-2003",
            "Luther, Martin",
            Kind.FILM,
            2003,
            (),
            1.0,
            overview='He said "no". They listened.',
        )
    ]


async def test_dirty_rows_are_told_and_the_others_go_on() -> None:
    content = [
        b"kind,id,name,year,popularity,title,adult",
        b"film,,,1999,,,",
        b"movie,,Up,2009,,,",
        b"film,,Up,20x9,,,",
        b"film,,Up,2009,-1,,",
        b"film,,Up,2009,nan,,",
        b"film,,Up,2009,,,perhaps",
        b"film,,???,2009,,,",
        b"film,," + b"x" * 301 + b",2009,,,",
        b"film,--,Up,2009,,,",
        b"character,,Carl,,,,",
        b"character,,Carl,,,Down,",
        b"film,,Up,2009,,",
        b"film,,\xff,2009,,,",
        b'film,,"Up"!,2009,,,',
        b",,,,,,",
        b"film,,Up,2009.0,200,,no",
        b"film,,Up,2009,,,",
        b"series,up,Up,2010,,,",
        b"series,UP,Up,2011,,,",
        b"character,,Carl,,,UP!,",
        b"character,,Carl,,,up 2009,",
        b'film,,"Up',
        b"film,w,WALL-E,2008,,,",
    ]
    brought = await batches(source(b"\n".join(content)))
    assert [(fault.place, fault.description) for batch in brought for fault in batch.faults] == [
        ("line 2", "There is no name."),
        ("line 3", "`kind` is 'movie'; known are film, series, anime, cartoon and character."),
        ("line 4", "`year` is '20x9', which is no year from 1870 to 2100."),
        ("line 5", "`popularity` is '-1', which is no number of 0 or more."),
        ("line 6", "`popularity` is 'nan', which is no number of 0 or more."),
        ("line 7", "`adult` is 'perhaps', neither true nor false."),
        ("line 8", "The name '???' has no letter or digit to be found by."),
        ("line 9", f"The name '{'x' * 59}…' has 301 characters; 300 are the most."),
        ("line 10", "The id '--' has no letter or digit."),
        ("line 11", "A character needs the id or the name of its title in `title`."),
        ("line 13", "There are 6 fields; the header has 7."),
        ("line 14", "The row is not UTF-8."),
        ("line 15", "This is not CSV: ',' expected after '\"'."),
        ("line 18", "Line 17 has a title of this id, or of this name and year where there is no id."),
        ("line 20", "Line 19 has a title of this id, or of this name and year where there is no id."),
        ("line 23", "This is not CSV: a quotation mark is not closed."),
        ("line 12", "'Down' is neither the id nor the name of a title of the file."),
    ]
    assert [
        (title.id, title.popularity, [one.name for one in title.characters])
        for batch in brought
        for title in batch.titles
    ] == [("mine-up-2009", 100.0, ["Carl"]), ("mine-up", 1.0, ["Carl"]), ("mine-w", 1.0, [])]


async def test_dirty_json_is_told_and_the_others_go_on() -> None:
    content = [
        b"[",
        b"7",
        b'{"name": "Up", "popularity": NaN}',
        b'{"name": "Up", "year": true}',
        b'{"name": ["Up"]}',
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"name": "\xc3"}',
        b'{"name": "Up", "characters": 1}',
        b" ",
        (
            b'{"name": 1984, "year": 1984, "imdb": 1, "aliases": ["?", "\\u0000Nineteen  Eighty-Four\\n", 3, ""],'
            b' "characters": [1, {"name": ""}, {"name": "Winston", "title": "Up"}]}'
        ),
        b'{"name": "' + b"x" * 1024**2 + b'"}',
        b'{"name": "Up", "imdb": 2}',
    ]
    found = await titles(source(b"\n".join(content), Format.JSONL, chunk_bytes=50_000))
    assert [(one.name, one.aliases, [character.name for character in one.characters]) for one in found] == [
        ("1984", ("Nineteen Eighty-Four", "3"), ["Winston"]),
        ("Up", (), []),
    ]
    told = await faults(source(b"\n".join(content), Format.JSONL, chunk_bytes=50_000))
    assert [(place, description[:52]) for place, description in told] == [
        ("line 1", "This is not JSON: Expecting value: line 2 column 1 ("),
        ("line 2", "This is no JSON object."),
        ("line 3", "This is not JSON: NaN is no number."),
        ("line 4", "`year` is 'true', which is no year from 1870 to 2100"),
        ("line 5", "`name` is no text."),
        ("line 6", "`name` holds half of a UTF-16 pair, which is no char"),
        ("line 7", "This is not JSON: maximum recursion depth exceeded w"),
        ("line 8", "The row is not UTF-8."),
        ("line 9", "`characters` is no list."),
        ("line 11", "`imdb` is no column that is known; it is passed over"),
        ("line 11", "'?' in `aliases` has no letter or digit to be found "),
        ("line 11", "Character 1 is no JSON object."),
        ("line 11", "Character 2: There is no name."),
        ("line 12", "The line is longer than 1 MiB."),
    ]


async def test_the_examples_of_the_documentation_are_without_a_fault() -> None:
    page = Path(__file__).parents[4] / "docs" / "catalogue.md"
    for language, kind, names in (
        ("csv", Format.CSV, {"Neo", "Lorne Malvo"}),
        ("json", Format.JSONL, {"Neo", "Trinity"}),
    ):
        (example,) = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
        brought = await batches(source(example.encode(), kind))
        assert [fault for batch in brought for fault in batch.faults] == []
        assert {one.name for batch in brought for title in batch.titles for one in title.characters} == names


async def test_a_name_that_several_titles_have_needs_an_id_or_a_year() -> None:
    content = (
        "kind,name,year,title\nfilm,Dune,1984,\nfilm,Dune,2021,\n"
        "character,Paul,,Dune\ncharacter,Chani,2021,Dune\ncharacter,Duncan,2020,Dune\n"
    )
    assert await faults(source(content.encode())) == [
        ("line 4", "2 titles of the file are called 'Dune': say the id of one in `title`, or its `year`."),
        ("line 6", "'Dune' is neither the id nor the name of a title of the file."),
    ]
    names = [
        (one.year, [character.name for character in one.characters]) for one in await titles(source(content.encode()))
    ]
    assert names == [(1984, []), (2021, ["Chani"])]


async def test_a_title_keeps_its_first_500_characters() -> None:
    content = rows(
        {"name": "War and Peace"},
        *({"kind": "character", "name": f"Soldier {n}", "title": "War and Peace"} for n in range(510)),
    )
    brought = await batches(source(content, Format.JSONL))
    assert [len(title.characters) for batch in brought for title in batch.titles] == [500]
    assert [fault for batch in brought for fault in batch.faults] == [
        Fault("line 1", "The title has more than 500 characters; the first of them are kept.")
    ]


async def test_a_column_that_is_not_known_is_told_and_passed_over() -> None:
    known = "kind, id, name, year, aliases, popularity, adult, overview, title, persona and actors"
    told = f"`imdb_id` is no column that is known; it is passed over in all rows. Known are {known}."
    assert await faults(source(b"name,imdb_id\nUp,tt1049413\n")) == [("line 1", told)]


async def test_a_sync_goes_on_where_it_was_without_giving_anything_again() -> None:
    content = rows(
        *({"name": f"Film {n}"} for n in range(450)),
        *({"kind": "character", "name": "X", "title": "None"} for _ in range(3)),
        *({} for _ in range(3)),
    )
    whole = await batches(source(content, Format.JSONL, chunk_bytes=1000))
    assert [len(batch.titles) for batch in whole][-3:] == [200, 200, 50]
    for position, batch in enumerate(whole):
        cursor = {"format": "jsonl", **batch.cursor}
        rest = await batches(source(content, Format.JSONL, chunk_bytes=1000), cursor)
        left = whole[position + 1 :]
        assert [title for one in rest for title in one.titles] == [title for one in left for title in one.titles]
        assert [fault for one in rest for fault in one.faults] == [fault for one in left for fault in one.faults]
        assert {one.cursor["format"] for one in rest} == {"jsonl"}


async def test_ids_stay_when_rows_are_added() -> None:
    def ids(found: list[Title]) -> set[str]:
        characters = {character.id for title in found for character in title.characters}
        return characters | {title.id for title in found}

    more = CSV.replace(
        "character,,Neo", "film,,Matrix,2050,,,,,,,\ncharacter,,Agent Smith,,,,,,m1,,\ncharacter,,Neo", 1
    )
    assert ids(await titles(source(CSV.encode()))) < ids(await titles(source(more.encode())))


async def test_an_import_that_is_cancelled_leaves_no_thread() -> None:
    at_work = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"name\n"
        while True:
            at_work.set()
            yield b"Up\n" * 100

    async with asyncio.timeout(60):
        task = asyncio.create_task(batches(FileSource("mine", Format.CSV, False, endless)))
        await at_work.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("file")] == []


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (source(b""), "No row of the file is a title that can be used. Known are kind, id, name, year"),
        (source(b"name,year\n,1999\n"), "No row of the file is a title that can be used."),
        (
            source(b"title;year\nUp;2009\n"),
            "The header line has no column `name` between commas: 'title;year'. Known are",
        ),
        (source(b"name,Name\n"), "The header line has the column `name` twice."),
        (source("name\n".encode("utf-16")), "The header line cannot be read. The row is not UTF-8."),
        (source(b"[]", Format.JSONL), "No row of the file is a title that can be used."),
        (
            source(gzip.compress(b"name\nUp\n")),
            "The file is compressed with gzip, and was announced as one that is not.",
        ),
        (source(b"name\nUp\n", gz=True), "The file is no gzip file, or is damaged: Error -3 while decompressing data"),
        (source(gzip.compress(b"name\nUp\n")[:-4], gz=True), "The gzip file is cut off:"),
        (
            source(gzip.compress(b"name\n" + b" " * 1024**2 * 20), gz=True, chunk_bytes=65536),
            "The file becomes more than 200 times larger when it is decompressed: refused.",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
async def test_a_file_that_is_of_no_use_is_refused_with_a_sentence(of: FileSource, told: str) -> None:
    with pytest.raises(SourceError) as error:
        await batches(of)
    assert str(error.value).startswith(told)
