import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.fault import Cut, NotLetIn, RateLimited
from services.chat_svc.domain.health import FAILURES_MAX, REST_SECONDS, Health, Speed
from services.chat_svc.domain.model import Capability, Class, Model, classes
from services.chat_svc.domain.routing import (
    Candidate,
    Decision,
    Preference,
    Skipped,
    Wanted,
    decide,
    decision_from_json,
    decision_to_json,
)
from tests.unit.chat_svc.models import model

NOW = 1_000.0
PAID = Wanted(classes(premium=True), 1_000)
FREE = Wanted(classes(premium=False), 1_000)

ONE, TWO = model("one"), model("two")
DEAR = model("dear", Class.PREMIUM, "10")


def well(*models: Model) -> dict[str, Health]:
    """Nothing is known of any model."""
    return {one.id: Health() for one in models}


def measured(first_word_seconds: float, tokens_per_second: float = 50.0) -> Health:
    health = Health()
    health.answered(health.asked(NOW), Speed(first_word_seconds, tokens_per_second), NOW)
    return health


def resting() -> Health:
    health = Health()
    for _ in range(FAILURES_MAX):
        health.failed(health.asked(NOW), Cut("cut"), NOW)
    return health


def skipped(decision: Decision) -> dict[str, Skipped | None]:
    return {one.model: one.skipped for one in decision.candidates}


def order(
    models: list[Model],
    wanted: Wanted = PAID,
    health: Mapping[str, Health] | None = None,
    failed: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    return decide(models, {**well(*models), **(health or {})}, wanted, NOW, failed).order


def test_a_plan_without_premium_turns_asks_standard_models_alone() -> None:
    assert decide([DEAR, ONE], well(DEAR, ONE), FREE, NOW) == Decision(
        (
            Candidate("one", False, 5.0, 0.0, 1.0),
            Candidate("dear", True, 11.0, 0.012, 1.0, Skipped.CLASS),
        )
    )
    assert order([DEAR, ONE], PAID) == ("one", "dear")


def test_where_a_plan_pays_for_no_model_nobody_is_asked() -> None:
    assert order([DEAR], FREE) == ()


def test_the_faster_one_is_asked_first() -> None:
    assert order([ONE, TWO], health={"one": measured(3.0), "two": measured(0.5)}) == ("two", "one")
    assert order([ONE, TWO], health={"one": measured(1.0, 200.0), "two": measured(1.0, 20.0)}) == ("one", "two")


def test_cost_weighs_by_what_the_caller_prefers() -> None:
    fast, cheap = model("fast", dollars="5"), model("cheap", dollars="1")
    health = {"fast": measured(0.5), "cheap": measured(2.5)}
    first = {one: order([fast, cheap], replace(PAID, preference=one), health)[0] for one in Preference}
    assert first == {
        Preference.BALANCED: "cheap",
        Preference.FAST: "fast",
        Preference.CHEAP: "cheap",
        Preference.BEST: "fast",
    }


def test_the_best_is_a_premium_model_whoever_spoke_last() -> None:
    best = replace(PAID, preference=Preference.BEST, last="one")
    assert order([ONE, DEAR], best) == ("dear", "one")
    assert order([ONE, DEAR], replace(best, classes=FREE.classes)) == ("one",)


def test_what_spoke_last_speaks_again_while_it_is_well() -> None:
    wanted = replace(PAID, last="two")
    health = {"one": measured(0.1), "two": measured(8.0)}
    assert order([ONE, TWO], wanted, health) == ("two", "one")
    assert order([ONE, TWO], wanted, {**health, "two": resting()}) == ("one",)


def test_what_spoke_last_yields_to_a_preference_that_is_said() -> None:
    wanted = replace(PAID, last="two", preference=Preference.FAST)
    assert order([ONE, TWO], wanted, {"one": measured(1.0), "two": measured(2.5)}) == ("two", "one")
    assert order([ONE, TWO], wanted, {"one": measured(0.1), "two": measured(8.0)}) == ("one", "two")


def test_what_the_caller_names_goes_first() -> None:
    wanted = replace(PAID, asked="dear", last="one", preference=Preference.CHEAP)
    assert order([ONE, TWO, DEAR], wanted) == ("dear", "one", "two")
    assert order([ONE, TWO, DEAR], replace(wanted, classes=FREE.classes)) == ("one", "two")
    assert order([ONE, TWO, DEAR], wanted, {"dear": resting()}) == ("one", "two")
    assert order([ONE, TWO], replace(wanted, asked="unknown")) == ("one", "two")


def test_a_last_resort_comes_last_unless_it_is_named() -> None:
    resort = replace(model("resort"), last_resort=True)
    slow = {"dear": measured(40.0)}
    for preference in Preference:
        wanted = replace(PAID, last="resort", preference=preference)
        assert order([resort, DEAR], wanted, slow) == ("dear", "resort")
        assert order([resort, DEAR], replace(wanted, asked="resort"), slow) == ("resort", "dear")
    assert order([resort, DEAR], PAID, {"dear": resting()}) == ("resort",)


def test_where_nobody_else_is_left_those_that_rest_are_asked_after_all() -> None:
    health = {"one": resting(), "two": Health()}
    assert order([ONE, TWO], health=health) == ("two",)
    assert order([ONE, TWO], health=health, failed=frozenset({"two"})) == ("one",)
    assert order([ONE, TWO], health=health, failed=frozenset({"one", "two"})) == ()
    assert order([DEAR], FREE, {"dear": resting()}) == ()


def test_where_nobody_else_is_left_one_at_a_time_asks_one_that_rests_and_none_before_the_time_it_told() -> None:
    health = resting()
    assert order([ONE], health={"one": health}) == ("one",)
    health.asked(NOW)
    assert order([ONE], health={"one": health}) == ()
    told = Health()
    told.failed(told.asked(NOW), RateLimited("slow down", retry_after_seconds=1.0), NOW)
    assert order([ONE], health={"one": told}) == ()
    assert decide([ONE], {"one": told}, PAID, NOW + 1).order == ("one",)


def test_a_model_on_probation_is_asked_by_one_alone() -> None:
    health, later = {"one": resting(), "two": Health()}, NOW + REST_SECONDS
    wanted = replace(PAID, asked="one")
    assert decide([ONE, TWO], health, wanted, later).order == ("one", "two")
    health["one"].asked(later)
    assert decide([ONE, TWO], health, wanted, later).order == ("two",)


def test_one_that_failed_lately_gives_way_and_is_forgiven() -> None:
    health = {"one": Health(), "two": Health()}
    health["one"].failed(health["one"].asked(NOW), Cut("cut"), NOW)
    cheaper = replace(PAID, preference=Preference.FAST)
    assert decide([ONE, model("two", dollars="10")], health, cheaper, NOW).order == ("two", "one")
    assert decide([ONE, model("two", dollars="10")], health, cheaper, NOW + 3_600).order == ("one", "two")


def test_what_a_turn_needs_a_model_must_be_able_to_do() -> None:
    seeing = replace(TWO, capabilities=frozenset({Capability.VISION, Capability.TOOLS}))
    wanted = replace(PAID, capabilities=frozenset({Capability.VISION}))
    assert skipped(decide([ONE, seeing], well(ONE, seeing), wanted, NOW)) == {"two": None, "one": Skipped.CAPABILITY}


def test_where_a_prompt_was_too_long_only_larger_models_are_asked() -> None:
    larger = replace(TWO, context_tokens=64_000)
    wanted = replace(PAID, larger_than=ONE.context_tokens)
    assert skipped(decide([ONE, larger], well(ONE, larger), wanted, NOW)) == {"two": None, "one": Skipped.CONTEXT}
    assert order([ONE, larger], wanted, {"two": resting()}) == ("two",)


def test_a_model_that_the_least_of_a_prompt_is_too_long_for_is_not_asked() -> None:
    small = replace(TWO, context_tokens=4_000)
    health = well(ONE, small)
    fits = replace(PAID, asked="two", least_tokens=small.room)
    assert decide([ONE, small], health, fits, NOW).order == ("two", "one")
    longer = replace(fits, least_tokens=small.room + 1)
    assert skipped(decide([ONE, small], health, longer, NOW)) == {"one": None, "two": Skipped.CONTEXT}


def test_who_rests_or_failed_could_still_answer_and_who_is_too_small_could_not() -> None:
    small, blind = replace(model("small"), context_tokens=1_500), model("blind")
    seeing = [replace(one, capabilities=frozenset({Capability.VISION})) for one in (ONE, TWO, DEAR, small)]
    told = Health()
    told.failed(told.asked(NOW), RateLimited("slow down", retry_after_seconds=10.0), NOW)
    wanted = replace(FREE, capabilities=frozenset({Capability.VISION}), least_tokens=1_000)
    models = [*seeing, blind]
    decision = decide(models, {**well(*models), "one": told}, wanted, NOW, frozenset({"two"}))
    assert not decision.order
    assert decision.able == {"one", "two"}


def test_the_first_reason_counts() -> None:
    assert skipped(decide([DEAR], {"dear": resting()}, FREE, NOW, frozenset({"dear"}))) == {"dear": Skipped.CLASS}


def test_a_decision_is_kept_and_found_again() -> None:
    decision = decide([DEAR, ONE], {"dear": Health(), "one": resting()}, replace(FREE, last="one"), NOW)
    assert decision_from_json(json.loads(json.dumps(decision_to_json(decision)))) == decision


NAMES = ("a", "b", "c", "d", "e")
MODELS = st.lists(
    st.builds(
        lambda name, premium, dollars, context, able, resort: replace(
            model(name, Class.PREMIUM if premium else Class.STANDARD, str(dollars)),
            context_tokens=context,
            capabilities=able,
            last_resort=resort,
        ),
        st.sampled_from(NAMES),
        st.booleans(),
        st.integers(0, 100),
        st.sampled_from([2_048, 32_000, 200_000]),
        st.frozensets(st.sampled_from(Capability)),
        st.booleans(),
    ),
    unique_by=lambda one: one.id,
)
WANTED = st.builds(
    Wanted,
    classes=st.frozensets(st.sampled_from(Class)),
    prompt_tokens=st.integers(0, 100_000),
    preference=st.sampled_from(Preference),
    asked=st.none() | st.sampled_from(NAMES),
    last=st.none() | st.sampled_from(NAMES),
    capabilities=st.frozensets(st.sampled_from(Capability), max_size=1),
    larger_than=st.sampled_from([0, 2_048, 32_000]),
    least_tokens=st.sampled_from([0, 1_048, 1_049, 31_001]),
)
HEALTH = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from(["answered", "failed", "barred", "asked"]), max_size=6) for name in NAMES}
)
FAILED = st.frozensets(st.sampled_from(NAMES))
LATER = st.sampled_from([0.0, REST_SECONDS, 1_000.0])


def lived(lives: Mapping[str, list[str]]) -> dict[str, Health]:
    """Models that have been through all this."""
    found = {}
    for name, life in lives.items():
        health = found[name] = Health()
        for event in life:
            asking = health.asked(NOW)
            match event:
                case "answered":
                    health.answered(asking, Speed(0.7, 80.0), NOW)
                case "failed":
                    health.failed(asking, Cut("cut"), NOW)
                case "barred":
                    health.failed(asking, NotLetIn("401"), NOW)
    return found


@given(MODELS, WANTED, HEALTH, FAILED, LATER)
def test_a_decision_keeps_its_rules(
    models: list[Model], wanted: Wanted, lives: dict[str, list[str]], failed: frozenset[str], later: float
) -> None:
    health, now = lived(lives), NOW + later
    decision = decide(models, health, wanted, now, failed)
    by_id = {one.id: one for one in models}

    assert decision == decide(list(reversed(models)), lived(lives), wanted, now, failed)
    assert sorted(one.model for one in decision.candidates) == sorted(by_id)
    reasons = [one.skipped is not None for one in decision.candidates]
    assert reasons == sorted(reasons)
    asked = [by_id[name] for name in decision.order]
    assert all(one.model_class in wanted.classes for one in asked)
    assert all(wanted.capabilities <= one.capabilities for one in asked)
    assert all(one.context_tokens > wanted.larger_than and one.id not in failed for one in asked)
    assert all(one.room >= wanted.least_tokens for one in asked)
    assert set(decision.order) <= decision.able
    awake = [one for one in asked if health[one.id].admits(now)]
    assert awake in (asked, [])
    if wanted.asked in decision.order:
        assert decision.order[0] == wanted.asked
    resorts = [one.last_resort for one in asked if one.id != wanted.asked]
    assert resorts == sorted(resorts)
    assert decision_from_json(json.loads(json.dumps(decision_to_json(decision)))) == decision


@given(MODELS, WANTED, HEALTH, FAILED)
def test_whoever_fails_is_followed_until_nobody_is_left(
    models: list[Model], wanted: Wanted, lives: dict[str, list[str]], failed: frozenset[str]
) -> None:
    health, tried = lived(lives), list[str]()
    while names := decide(models, health, wanted, NOW, failed | frozenset(tried)).order:
        tried.append(names[0])
    assert len(tried) == len(set(tried)) <= len(models)


@pytest.mark.parametrize("premium", [True, False])
def test_standard_models_are_for_all(premium: bool) -> None:
    assert classes(premium=premium) == ({Class.STANDARD, Class.PREMIUM} if premium else {Class.STANDARD})
