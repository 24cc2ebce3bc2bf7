"""How far a round is, and what it may still cost."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.chat_svc.domain.conversation import Conversation, next_id
from services.chat_svc.domain.group import Group
from services.chat_svc.domain.round import Plan, Round
from services.chat_svc.domain.routing import Choice, Preference
from tests.unit.chat_svc.messages import ANSWER

HOLMES, WATSON = "characters/holmes", "characters/watson"
CHOICE = Choice(preference=Preference.FAST)
ALONE = Conversation("alice", UUID(int=1), HOLMES, "", 0, ANSWER.created_at, ANSWER.created_at)
PLAN = Plan((HOLMES, WATSON), CHOICE, 2, 1)


def test_a_plan_has_the_limits_of_its_group() -> None:
    group = replace(ALONE, others=(WATSON,), group=Group(credits_max=2, pause_seconds=1))
    assert Plan.of(group, (HOLMES, WATSON), CHOICE, sees=True) == replace(PLAN, sees=True)
    assert Plan.of(ALONE, (HOLMES,), CHOICE, sees=False) == Plan((HOLMES,), CHOICE, None, 0)


@pytest.mark.parametrize(("place", "speaker", "has_more"), [(0, HOLMES, True), (1, WATSON, False)])
def test_speakers_have_the_turn_one_after_another(place: int, speaker: str, has_more: bool) -> None:
    under_way = Round(PLAN, place)
    assert (under_way.speaker, under_way.has_more) == (speaker, has_more)


def test_a_round_pays_until_its_limit() -> None:
    under_way = Round(PLAN, charged=1)
    assert (under_way.units_left, under_way.pays(1), under_way.pays(2)) == (1, True, False)
    free = Round(replace(PLAN, credits_max=None), charged=100)
    assert (free.units_left, free.pays(100)) == (None, True)


@pytest.mark.parametrize(
    ("place", "charged", "goes_on"),
    [(0, 0, True), (0, 1, False), (1, 0, False)],
)
def test_a_round_outlives_an_answer_where_somebody_is_to_follow_and_may(
    place: int, charged: int, goes_on: bool
) -> None:
    answer = replace(ANSWER, next=None, charged=1, price=1)
    under_way = Round(PLAN, place, charged)
    assert under_way.outlives(answer) == replace(answer, next=next_id(answer.id) if goes_on else None)
    assert under_way.charged == charged + 1
