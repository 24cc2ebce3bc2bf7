import json
from collections.abc import Sequence
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search_svc.domain.comparing import (
    Comparison,
    Difference,
    Replayed,
    likeness,
    p99,
    resource_name,
    summed,
)
from services.search_svc.domain.entries import Kind
from services.search_svc.domain.found import Hit

ALIKE = Comparison(
    baseline=3, queries=1000, agreement=0.7, emptied=0.05, lost_entries=0.2, baseline_p99_us=4000, p99_us=8000
)
ADVICE = "Activate it if that is as it should be."


def replayed(
    query: str = "neo",
    baseline: Sequence[str] = ("characters/neo",),
    candidate: Sequence[str] = ("characters/neo",),
    alike: float | None = 1.0,
    baseline_us: float = 100,
    candidate_us: float = 100,
) -> Replayed:
    return Replayed(query, tuple(baseline), tuple(candidate), alike, baseline_us, candidate_us)


def test_what_is_at_the_limits_may_serve() -> None:
    assert ALIKE.refusal == ""


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        ({"agreement": 0.6999}, "first answers agree to 0.70, at least 0.7 is wanted"),
        ({"emptied": 0.06}, "6.0% of the queries have no answer any more, at most 5% may"),
        ({"lost_entries": 0.35}, "35.0% of its entries are missing, at most 20% may"),
        (
            {"p99_us": 8001},
            "the 99th percentile of a query's time is 8.0 ms instead of 4.0 ms, at most twice that or 5 ms are wanted",
        ),
        (
            {"agreement": 0.1, "lost_entries": 1.0},
            "first answers agree to 0.10, at least 0.7 is wanted; 100.0% of its entries are missing, at most 20% may",
        ),
    ],
)
def test_what_is_beyond_a_limit_is_refused_with_its_figures(figures: dict[str, float], why: str) -> None:
    refused = Comparison(**{**asdict(ALIKE), **figures})
    assert refused.refusal == f"Compared with index version 3: {why}. {ADVICE}"


@pytest.mark.parametrize(("baseline_us", "p99_us"), [(100, 5000), (4000, 8000)])
def test_what_is_fast_enough_or_as_fast_as_before_is_not_refused_for_its_time(baseline_us: int, p99_us: int) -> None:
    timed = Comparison(**{**asdict(ALIKE), "baseline_p99_us": baseline_us, "p99_us": p99_us})
    assert timed.refusal == ""


def test_a_comparison_without_queries_agrees() -> None:
    assert summed(3, [], 0.1) == Comparison(3, 0, 1.0, 0.0, 0.1, 0, 0)


def test_all_queries_together_make_a_comparison() -> None:
    same, other, gone = (
        replayed(),
        replayed("agent", ["a"], ["b"], 0.0, 300, 200),
        replayed("x", ["a"], [], None, 1, 900),
    )
    silent = replayed("zzz", [], [], None, 2, 3)
    assert summed(7, [same, other, gone, silent], 0.0) == Comparison(
        baseline=7,
        queries=4,
        agreement=0.5,
        emptied=0.25,
        lost_entries=0.0,
        baseline_p99_us=300,
        p99_us=900,
        differences=(Difference("agent", ("a",), ("b",)), Difference("x", ("a",), ())),
    )


def test_the_ten_worst_differences_are_told_and_each_once() -> None:
    asked = [replayed(f"q{number:02}", ["a"], ["b"], number / 20) for number in range(15)]
    told = summed(1, asked * 2, 0.0).differences
    assert [one.query for one in told] == [f"q{number:02}" for number in range(10)]


def test_a_comparison_survives_json() -> None:
    told = summed(7, [replayed("agent", ["a"], ["b"], 0.5)], 0.25)
    assert Comparison.from_json(json.loads(json.dumps(asdict(told)))) == told


@pytest.mark.parametrize(
    ("baseline", "candidate", "depth", "expected"),
    [
        ("", "", 10, None),
        ("abc", "", 10, 0.0),
        ("", "abc", 10, 0.0),
        ("abc", "cba", 10, 1.0),
        ("abc", "abd", 10, 2 / 3),
        ("ab", "abcd", 10, 0.5),
        ("abcdefghijK", "abcdefghijL", 10, 1.0),
        ("abcdefghij", "ab", 2, 1.0),
        ("abcdefghij", "xb", 2, 0.5),
        ("abcdefghij", "", 0, None),
    ],
)
def test_likeness_is_how_many_of_the_first_answers_are_the_same(
    baseline: str, candidate: str, depth: int, expected: float | None
) -> None:
    assert likeness(baseline, candidate, depth) == expected


@given(st.text(alphabet="abcdefghijklmno"), st.text(alphabet="abcdefghijklmno"), st.integers(0, 10))
def test_likeness_is_a_share_that_does_not_depend_on_which_index_is_the_old_one(
    one: str, other: str, depth: int
) -> None:
    alike = likeness(one, other, depth)
    assert alike == likeness(other, one, depth)
    assert alike is None or 0 <= alike <= 1
    assert likeness(one, one, depth) in (None, 1.0)


@pytest.mark.parametrize(
    ("times", "expected"), [([], 0.0), ([5.0], 5.0), (range(1, 101), 99), (range(1, 1001), 990), ([3.0, 1.0], 3.0)]
)
def test_the_99th_percentile_is_the_nearest_rank(times: Sequence[float], expected: float) -> None:
    assert p99(times) == expected


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.FILM, "titles/x"),
        (Kind.SERIES, "titles/x"),
        (Kind.ANIME, "titles/x"),
        (Kind.CARTOON, "titles/x"),
        (Kind.CHARACTER, "characters/x"),
        (Kind.ACTOR, "actors/x"),
    ],
)
def test_a_hit_has_the_resource_name_of_its_kind(kind: Kind, name: str) -> None:
    assert resource_name(Hit("x", "X", kind, "", 0, 1.0)) == name
