"""Random schedules of crashes, cuts, cancels, faults and slow readers, on a virtual clock.

SIMULATION_SCHEDULES says how many, 2,000 unless it says otherwise. SIMULATION_SEED says which one alone: a failure
names its seed, and

    SIMULATION_SEED=1234 pytest tests/unit/chat_svc/test_chat_simulation.py

carries it out again, the same in every step.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.unit.chat_svc.simulation.laws import broken
from tests.unit.chat_svc.simulation.reach import ALL, reached
from tests.unit.chat_svc.simulation.schedule import Outcome, carried_out, drawn
from tests.unit.chat_svc.simulation.world import World

SCHEDULES = 2_000
# So many that fail are enough to know.
FAILURES_MAX = 3


@pytest.fixture(autouse=True)
def defects() -> Iterator[list[str]]:
    """What is logged as a defect of ours; all other words are spared, for speed."""
    found: list[str] = []

    def kept(_: Any, __: str, event: Any) -> Any:
        if "exc_info" in event:
            found.append(f"{event['event']}: {event['exc_info']}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[kept], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield found
    structlog.configure(**before)


def outcome(seed: int) -> Outcome:
    world = World()
    return world.live(carried_out(drawn(seed), world))


def test_every_answer_ends_once_and_every_hold_resolves_once_whatever_happens(defects: list[str]) -> None:
    alone = os.environ.get("SIMULATION_SEED")
    seeds = [int(alone)] if alone else range(int(os.environ.get("SIMULATION_SCHEDULES", SCHEDULES)))
    failures: dict[int, list[str]] = {}
    seen: set[str] = set()
    for seed in seeds:
        led_to = outcome(seed)
        found = [*broken(led_to), *defects]
        seen |= set(reached(led_to))
        defects.clear()
        if found:
            failures[seed] = [str(drawn(seed)), *found]
            if len(failures) == FAILURES_MAX:
                break
    assert not failures, "\n".join(
        f"SIMULATION_SEED={seed} shows it again:\n  " + "\n  ".join(found) for seed, found in failures.items()
    )
    if len(seeds) >= SCHEDULES:
        assert ALL - seen == set()


def test_a_schedule_runs_the_same_way_each_time() -> None:
    for seed in range(20):
        first, second = (outcome(seed) for _ in range(2))
        assert first.around.database == second.around.database
        assert first.around.ledger == second.around.ledger
        assert first.around.world.time() == second.around.world.time()
