"""Sixteen ways in which a model fails, each on either wire: the person gets a whole answer, or is told that it is none.

A model that is named fails; those that take over are found by the router. Whoever is asked, how often, what is stored
and what is paid belong to the outcome of each turn.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count, pairwise

import pytest

from services.chat_svc.domain.ending import estimated_tokens
from tests.e2e.failover import (
    ANEW,
    ANEW_TOO,
    BEGINNING,
    CONTINUES,
    CONTINUES_TOO,
    CUT_AFTER,
    PIECES,
    REST,
    TEXT,
    WIRES,
    Bench,
    Outcome,
    Person,
    bench,
    failed,
    finished,
    flapping,
    kinds,
)
from tests.fakes.behaviour import Behaviour

USERS = count(1)
# Of one that wants fewer requests, after each; of one that failed three times in a row, at least.
LIMITED_RESTS_SECONDS = (2, 4, 8)
REST_SECONDS_MIN = 5
# So often may a rest be over on a busy machine before anybody could look, though each is twice as long.
LATE_MAX = 4
# How one fails while it is away, and comes back: for a minute, in which twenty turns are begun.
FLAPS = (
    ("500", Behaviour(status=500)),
    ("cut", Behaviour(answer=PIECES, cut_after=CUT_AFTER)),
    ("503", Behaviour(status=503)),
    ("reset", Behaviour(reset=True)),
)
PACE_SECONDS = 2.5

pytestmark = pytest.mark.parametrize("wire", WIRES)


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with bench(tmp_path_factory.mktemp("failover")) as stage:
        yield stage


@pytest.fixture
async def alice(stage: Bench) -> AsyncIterator[Person]:
    """Somebody who is served after all that a test does, by the same processes."""
    stage.sounds()
    before = stage.stack.pids("chat")
    alice = await stage.person(f"alice-{next(USERS)}")
    yield alice
    stage.sounds()
    assert await alice.asks(CONTINUES) == finished([(CONTINUES, "")])
    assert stage.stack.pids("chat") == before


async def test_one_that_says_how_long_to_wait_is_left_alone_for_so_long(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    stage.broken.script(Behaviour(error="rate", retry_after_seconds=60))
    assert await alice.asks(model) == finished([(model, "RATE_LIMITED"), (CONTINUES, "")])
    assert await alice.asks(model) == finished([(CONTINUES, "")])
    health = await alice.health(model)
    assert (health["breaker"], 0 < health["rests_seconds"] <= 60) == ("BREAKER_STATE_OPEN", True)


async def test_one_that_always_wants_fewer_requests_gets_fewer(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    stage.broken.otherwise = Behaviour(error="rate")
    limited = finished([(model, "RATE_LIMITED"), (CONTINUES, "")])
    for rest_seconds in LIMITED_RESTS_SECONDS:
        assert await alice.asks(model) == limited
        # On a busy machine, the first rests may be over by now.
        assert (await alice.health(model))["rests_seconds"] <= rest_seconds
        if rest_seconds < LIMITED_RESTS_SECONDS[-1]:
            await alice.awaits(model)
    await _is_left_alone(stage, model, limited)
    gaps = [after - before for before, after in pairwise(stage.asked_at(model))]
    assert [gap >= LIMITED_RESTS_SECONDS[0] * 2**number for number, gap in enumerate(gaps)] == [True] * len(gaps)


async def _is_left_alone(stage: Bench, model: str, failing: Outcome) -> None:
    """It is not asked: only on a busy machine a few times more, where its rest is over by then."""
    for _ in range(LATE_MAX):
        somebody = await stage.person(f"late-{next(USERS)}")
        if (outcome := await somebody.asks(model)) != failing:
            break
    assert outcome == finished([(CONTINUES, "")])


async def test_one_that_fails_once_is_asked_again_in_the_next_turn_only(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    stage.broken.script(Behaviour(status=500))
    assert await alice.asks(model) == finished([(model, "SERVER_FAILED"), (CONTINUES, "")])
    assert await alice.asks(model) == finished([(model, "")])


async def test_one_that_always_fails_rests_after_three_turns(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    stage.broken.otherwise = Behaviour(status=503)
    failing = finished([(model, "OVERLOADED"), (CONTINUES, "")])
    assert [await alice.asks(model) for _ in range(3)] == [failing] * 3
    await _is_left_alone(stage, model, failing)
    gaps = [after - before for before, after in pairwise(stage.asked_at(model))][2:]
    assert [gap >= REST_SECONDS_MIN * 2**number for number, gap in enumerate(gaps)] == [True] * len(gaps)


async def test_a_reset_connection_is_a_model_that_cannot_be_reached(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    stage.broken.script(Behaviour(reset=True))
    assert await alice.asks(model) == finished([(model, "UNREACHABLE"), (CONTINUES, "")])


@pytest.mark.parametrize("silence", [Behaviour(silent=True), Behaviour(first_word_ms=20_000)], ids=["never", "late"])
async def test_one_that_does_not_begin_in_time_gives_way(
    stage: Bench, alice: Person, wire: str, silence: Behaviour
) -> None:
    model = stage.model(wire, hasty=True)
    stage.broken.script(silence)
    assert await alice.asks(model) == finished([(model, "STALLED"), (CONTINUES, "")])


BREAKS = {
    "cut": (Behaviour(answer=PIECES, cut_after=CUT_AFTER), "CUT"),
    "stalled": (Behaviour(answer=PIECES, stall_after=CUT_AFTER), "STALLED"),
    "malformed": (Behaviour(answer=PIECES, malformed_after=CUT_AFTER), "MALFORMED"),
    "error": (Behaviour(answer=PIECES, error_after=CUT_AFTER), "OVERLOADED"),
}


# What had not been read of a connection is lost with it, so nobody can say how much was said, but that some of it was.
RESETS = {"reset": (Behaviour(answer=PIECES, delay_ms=25, reset_after=CUT_AFTER), "CUT")}


# Who takes over speaks the one wire in every way to break, and the other one in some.
@pytest.mark.parametrize(
    ("way", "taker"), [*((way, CONTINUES) for way in BREAKS), ("cut", CONTINUES_TOO), ("malformed", CONTINUES_TOO)]
)
async def test_a_broken_answer_goes_on_where_it_broke(
    stage: Bench, alice: Person, wire: str, way: str, taker: str
) -> None:
    behaviour, fault = BREAKS[way]
    model = stage.model(wire, hasty=way == "stalled")
    # Who spoke last in a conversation is asked next.
    assert await alice.asks(taker) == finished([(taker, "")])
    stage.broken.script(behaviour)
    stage.sound.script(Behaviour(answer=REST))
    seam = (model, taker, fault, "CONTINUED", len(BEGINNING))
    assert await alice.asks(model) == finished([(model, fault), (taker, "")], [seam])
    goes_on = stage.sound.requests[-1]
    assert goes_on.body["messages"][-1] == {"role": "assistant", "content": BEGINNING}
    assert goes_on.path == {CONTINUES: "/v1/chat/completions", CONTINUES_TOO: "/v1/messages"}[taker]


@pytest.mark.parametrize(
    ("way", "taker"), [*((way, ANEW) for way in (*BREAKS, *RESETS)), ("error", ANEW_TOO), ("reset", ANEW_TOO)]
)
async def test_a_broken_answer_is_replaced_by_one_that_cannot_go_on(
    stage: Bench, alice: Person, wire: str, way: str, taker: str
) -> None:
    behaviour, fault = {**BREAKS, **RESETS}[way]
    model, heard = stage.model(wire, hasty=way == "stalled"), asyncio.Event()
    if way in RESETS:
        behaviour = replace(behaviour, until=heard)
    assert await alice.asks(taker) == finished([(taker, "")])
    stage.broken.script(behaviour)
    replaced = finished([(model, fault), (taker, "")], [(model, taker, fault, "REPLACED", 0)])
    assert await alice.asks(model, heard) == replaced
    assert stage.sound.requests[-1].path == {ANEW: "/v1/messages", ANEW_TOO: "/v1/chat/completions"}[taker]


async def test_a_stream_without_an_end_is_cut_even_where_all_was_said(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    stage.broken.script(Behaviour(answer=PIECES, cut_after=len(PIECES)))
    stage.sound.script(Behaviour(answer=[" And so on."]))
    seam = (model, CONTINUES, "CUT", "CONTINUED", len(TEXT))
    expected = finished([(model, "CUT"), (CONTINUES, "")], [seam], f"{TEXT} And so on.")
    assert await alice.asks(model) == expected


async def test_a_stream_without_its_last_mark_is_whole_where_the_reason_is_the_end(
    stage: Bench, alice: Person, wire: str
) -> None:
    model = stage.model(wire)
    stage.broken.script(Behaviour(answer=PIECES, unmarked=True))
    expected = finished([(model, "")])
    if wire == "anthropic":
        # Its reason comes before its end, `message_stop`.
        stage.sound.script(Behaviour(answer=[" And so on."]))
        seam = (model, CONTINUES, "CUT", "CONTINUED", len(TEXT))
        expected = finished([(model, "CUT"), (CONTINUES, "")], [seam], f"{TEXT} And so on.")
    assert await alice.asks(model) == expected


async def test_a_prompt_that_is_too_long_goes_to_a_larger_model_alone(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    assert await alice.asks(ANEW) == finished([(ANEW, "")])
    stage.broken.script(Behaviour(error="context_too_long"))
    assert await alice.asks(model) == finished([(model, "CONTEXT_TOO_LONG"), (CONTINUES, "")])
    stage.sound.script(Behaviour(error="context_too_long"))
    assert await alice.asks(CONTINUES) == failed("PROMPT_TOO_LONG", [(CONTINUES, "CONTEXT_TOO_LONG")])


@pytest.mark.parametrize(
    ("refusal", "text"),
    [(Behaviour(error="content_filter"), ""), (Behaviour(answer=PIECES, refuse_after=CUT_AFTER), BEGINNING)],
    ids=["at once", "in the middle"],
)
async def test_one_that_refuses_is_believed(
    stage: Bench, alice: Person, wire: str, refusal: Behaviour, text: str
) -> None:
    model = stage.model(wire)
    stage.broken.script(refusal)
    assert await alice.asks(model) == failed("REFUSED", [(model, "REFUSED")], text)


@pytest.mark.parametrize("taker", [CONTINUES, CONTINUES_TOO])
async def test_one_that_will_not_go_on_begins_anew(stage: Bench, alice: Person, wire: str, taker: str) -> None:
    model = stage.model(wire)
    assert await alice.asks(taker) == finished([(taker, "")])
    stage.broken.script(Behaviour(answer=PIECES, cut_after=CUT_AFTER))
    stage.sound.otherwise = Behaviour(answer=PIECES, prefill=False)
    seam = (model, taker, "CUT", "REPLACED", 0)
    attempts = [(model, "CUT"), (taker, "REJECTED"), (taker, "")]
    assert await alice.asks(model) == finished(attempts, [seam])


async def test_while_one_comes_and_goes_twenty_turns_are_whole(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    people = [await stage.person(f"crowd-{next(USERS)}") for _ in range(4)]
    outcomes = []
    async with flapping(stage, FLAPS) as ways:
        for person in people * 5:
            outcomes.append(await person.asks(model))
            ways.turns += 1
            # A load, not a wait: a request every three seconds, for a minute.
            await asyncio.sleep(PACE_SECONDS)
        asks = [(at, ways.at(at)) for at in stage.asked_at(model)]
    outcome_of = {
        "": finished([(model, "")]),
        "500": finished([(model, "SERVER_FAILED"), (CONTINUES, "")]),
        "503": finished([(model, "OVERLOADED"), (CONTINUES, "")]),
        "reset": finished([(model, "UNREACHABLE"), (CONTINUES, "")]),
        "cut": finished([(model, "CUT"), (CONTINUES, "")], [(model, CONTINUES, "CUT", "CONTINUED", len(BEGINNING))]),
    }
    told = iter(asks)
    resting = finished([(CONTINUES, "")])
    assert outcomes == [outcome_of[next(told)[1]] if one.asked[model] else resting for one in outcomes]
    assert next(told, None) is None
    # Whoever failed three times in a row is left alone for a while, and asked again once it is over.
    rests = [asks[index][0] - asks[index - 1][0] for index in range(3, len(asks)) if _failed(asks[index - 3 : index])]
    assert rests
    assert min(rests) >= REST_SECONDS_MIN
    assert {way for _, way in asks} >= {"", FLAPS[0][0]}
    assert [await person.used() for person in people] == [5] * 4
    await alice.awaits(model)
    assert await alice.asks(model) == finished([(model, "")])


def _failed(asks: list[tuple[float, str]]) -> bool:
    return all(way for _, way in asks)


async def test_who_finishes_is_reported_and_of_who_failed_what_is_shown(stage: Bench, alice: Person, wire: str) -> None:
    model = stage.model(wire)
    stage.broken.script(Behaviour(answer=PIECES, usage=(1_000, 1_000), error_after=CUT_AFTER))
    stage.sound.script(Behaviour(answer=REST, usage=(30, 20)))
    events = await alice.events(model)
    await alice.used()
    assert kinds(events) == ("started", "delta", "seam", "delta", "finished")
    message, receipt = (events[-1]["finished"][name] for name in ("message", "receipt"))
    told = {"input_tokens": "30", "output_tokens": "20", "estimated": False, "cached_input_tokens": "0"}
    assert [one.get("usage") for one in receipt["attempts"]] == [None, told]
    # Of the one that broke off, which told nothing in time, what stayed is estimated, and its prompt.
    prompt_tokens = int(receipt["usage"]["input_tokens"]) - 30
    usage = {
        "input_tokens": str(30 + prompt_tokens),
        "output_tokens": str(20 + estimated_tokens(BEGINNING)),
        "estimated": True,
        "cached_input_tokens": "0",
    }
    assert (message["model"], message["usage"], receipt["usage"]) == (CONTINUES, usage, usage)
    assert 0 < prompt_tokens < 1_000
    assert receipt["cost_usd"] == pytest.approx((30 * 1 + 20 * 10) / 1_000_000)
    ran = await asyncio.to_thread(stage.stack.run, "quota", "entries", "--user", alice.user, "--json")
    entries = json.loads(ran.stdout)["entries"]
    assert Counter(entry["kind"] for entry in entries) == {"ENTRY_KIND_CHARGE": 1, "ENTRY_KIND_ALLOWANCE": 1}
    charge = next(entry for entry in entries if entry["kind"] == "ENTRY_KIND_CHARGE")
    spent = {key: charge["usage"][key] for key in ("resource", "model", "input_tokens", "output_tokens")}
    tokens = {key: usage[key] for key in ("input_tokens", "output_tokens")}
    assert (charge["amount"], spent) == ("1", {"resource": message["name"], "model": CONTINUES, **tokens})
