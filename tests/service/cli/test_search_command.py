from pathlib import Path

import grpc

from runtime.errors import InvalidArgument, ResourceExhausted, Violation
from scenemesh.search.v1 import search_pb2
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_edge import HIT, Script


async def test_what_is_found_is_a_table(command: Command) -> None:
    ran = await command("search", "holmes")
    assert (ran.code, ran.err) == (0, "")
    assert "Sherlock Holmes (Holmes)" in ran.out
    assert "characters/sherlock-holmes" in ran.out


async def test_what_is_found_is_json_for_programs_as_rest_gives_it(command: Command) -> None:
    ran = await command("search", "holmes", "--json")
    assert (ran.code, ran.json) == (
        0,
        {
            "suggestions": [
                {
                    "name": "characters/sherlock-holmes",
                    "display_name": "Sherlock Holmes",
                    "kind": "KIND_CHARACTER",
                    "title_display_name": "Sherlock",
                    "year": 2010,
                    "matched_alias": "Holmes",
                    "popularity": 97,
                    "matched_actor": "",
                    "segments": [],
                }
            ],
            "index_version": "",
            "sequence": "0",
        },
    )


async def test_the_query_goes_out_as_it_was_given_and_without_a_token(command: Command, script: Script) -> None:
    await command("search", "dark kn", "--kind", "film", "--kind", "actor", "--limit", "3")
    await command("search", "dark", "--year-min", "1999", "--year-max", "2008", "--adult", "--explain")
    kinds = [search_pb2.KIND_FILM, search_pb2.KIND_ACTOR]
    years = search_pb2.EntryFilter(year_min=1999, year_max=2008, include_adult=True)
    assert script.requests == [
        search_pb2.SuggestRequest(query="dark kn", page_size=3, filter=search_pb2.EntryFilter(kinds=kinds)),
        search_pb2.SuggestRequest(query="dark", page_size=10, filter=years, explain=True),
    ]
    assert script.tokens == ["", ""]


async def test_what_matched_is_told_and_bold(command: Command, script: Script) -> None:
    jack = search_pb2.Suggestion(
        name="characters/jack-dawson",
        display_name="Jack Dawson",
        kind=search_pb2.KIND_CHARACTER,
        title_display_name="Titanic",
        matched_actor="Leonardo DiCaprio",
        segments=[search_pb2.Segment(text="Leo", matched=True), search_pb2.Segment(text="nardo DiCaprio")],
    )
    leo = search_pb2.Suggestion(
        name="actors/leo",
        display_name="Leonardo DiCaprio",
        kind=search_pb2.KIND_ACTOR,
        segments=[search_pb2.Segment(text="Leo", matched=True), search_pb2.Segment(text="nardo DiCaprio")],
    )
    script.suggestions = (leo, jack)
    ran = await command("search", "leo")
    assert rows(ran.out) == [
        ["Leonardo DiCaprio", "actor", "", "actors/leo"],
        ["Jack Dawson (Leonardo DiCaprio)", "character", "Titanic", "characters/jack-dawson"],
    ]
    shown = await command("search", "leo", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[1mLeo\x1b[0mnardo DiCaprio" in shown.out
    assert "Jack Dawson (\x1b[1mLeo\x1b[0mnardo DiCaprio)" in shown.out


async def test_a_score_says_what_it_is_made_of(command: Command, script: Script) -> None:
    exact = search_pb2.Score(total=90.5, match=search_pb2.MATCH_EXACT_NAME, match_points=60, popularity_points=30.5)
    loose = search_pb2.Score(
        total=27.5,
        match=search_pb2.MATCH_WORDS,
        match_points=40,
        typos=2,
        typo_points=-20,
        popularity_points=10,
        missing_points=-2.5,
    )
    script.suggestions = tuple(
        search_pb2.Suggestion(name=name, display_name="X", kind=search_pb2.KIND_FILM, year=1999, score=score)
        for name, score in (("titles/x", exact), ("titles/y", loose))
    )
    ran = await command("search", "x", "--explain", COLUMNS="200")
    assert rows(ran.out) == [
        ["X", "film", "1999", "titles/x", "90.5 = 60 exact name + 30.5 popularity"],
        ["X", "film", "1999", "titles/y", "27.5 = 40 words + 10 popularity - 20 for 2 typos - 2.5 missing"],
    ]


async def test_nothing_found_is_no_failure(command: Command, script: Script) -> None:
    script.suggestions = ()
    ran = await command("search", "zzz")
    assert (ran.code, ran.out, ran.err) == (0, "", "Nothing is called so.\n")


async def test_names_cannot_drive_the_terminal(command: Command, script: Script) -> None:
    evil = search_pb2.Suggestion()
    evil.CopyFrom(HIT)
    evil.display_name = "[red]Evil\x1b]0;owned\x07"
    script.suggestions = (evil,)
    ran = await command("search", "evil")
    assert "[red]Evil]0;owned" in ran.out
    assert "\x1b" not in ran.out


async def test_nobody_at_the_address_is_unreachable(state: Path) -> None:
    ran = await Command(state)("search", "x", "--url", "http://127.0.0.1:9", "--json")
    assert ran.code == 3
    assert ran.json == {
        "error": {
            "code": "UNAVAILABLE",
            "reason": "",
            "message": "The edge at http://127.0.0.1:9 cannot be reached.",
            "hint": "`scenemesh up` starts everything on this machine.",
            "metadata": {},
            "request_id": "",
        }
    }


async def test_without_a_stack_nothing_runs(state: Path) -> None:
    ran = await Command(state)("search", "x")
    assert (ran.code, ran.err.splitlines()[0]) == (3, f"scenemesh: Nothing runs in {state}.")


async def test_the_environment_may_name_the_edge(state: Path, script: Script) -> None:
    ran = await Command(state)("search", "x", SCENEMESH_URL=script.url)
    assert ran.code == 0


async def test_a_request_that_breaks_a_rule_is_wrong_usage(command: Command, script: Script) -> None:
    script.refusal = InvalidArgument("query: too long", violations=[Violation("query", "too long")])
    ran = await command("search", "x" * 300)
    assert (ran.code, ran.err) == (2, "scenemesh: query: too long\n")


async def test_too_many_calls_are_not_an_exhausted_quota(command: Command, script: Script) -> None:
    script.refusal = ResourceExhausted("Too many calls.", reason="RATE_LIMITED")
    ran = await command("search", "x")
    assert (ran.code, ran.err.splitlines()[0]) == (1, "scenemesh: Too many calls.")


async def test_an_edge_that_does_not_know_the_call_is_told_apart(command: Command, script: Script) -> None:
    script.refusal = grpc.StatusCode.UNIMPLEMENTED
    ran = await command("search", "x")
    assert ran.code == 1
    assert ran.err.splitlines()[1] == "Is this the address of a SceneMesh edge of this version?"
