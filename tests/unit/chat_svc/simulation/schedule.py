"""One schedule: everything that happens to two processes and the people who use them, drawn from a seed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from random import Random
from uuid import UUID

from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.group import Group, TurnOrder
from services.chat_svc.domain.hedging import Hedging
from services.chat_svc.domain.model import Capability, Class, Limits, Model, Prices, Wire
from tests.unit.chat_svc.simulation.people import Person
from tests.unit.chat_svc.simulation.process import Process, Surroundings
from tests.unit.chat_svc.simulation.provider import Stage
from tests.unit.chat_svc.simulation.quota import METERS
from tests.unit.chat_svc.simulation.readers import Replicas
from tests.unit.chat_svc.simulation.world import EPOCH, World

PROCESSES = 2
# Trouble begins within so many seconds.
TROUBLE_SECONDS = 4.0
# Longer than the owner of an answer tries to keep it.
LONG_SECONDS = 70.0
# By then all must be at rest, whatever happened before.
REST_SECONDS_MAX = 400.0
LOOK_SECONDS = 0.5

CAST = ("characters/holmes", "characters/watson", "characters/moriarty")

TOKENS_PER_TURN = 8
OUTPUT_TOKENS_MAX = 40
# What the longest answer of a model costs; what several say for one may be longer.
TURNS_MAX = OUTPUT_TOKENS_MAX // TOKENS_PER_TURN
HOLDS_LAST_SECONDS = 601.0


class Kind(Enum):
    """What goes wrong: a process dies, or ends in good order; a server is away for all, or for one process."""

    CRASH = "crash"
    DRAIN = "drain"
    OUTAGE = "outage"
    PARTITION = "partition"


OUTAGES = (Kind.OUTAGE,)
KINDS = (tuple(Kind), (Kind.CRASH, Kind.DRAIN), (Kind.CRASH,), (Kind.DRAIN,), OUTAGES)


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong, for so many seconds."""

    kind: Kind
    at: float
    seconds: float
    process: int
    server: str


@dataclass(frozen=True)
class Schedule:
    """`losses` are each server's shares of calls that are lost, answered in vain, and slow.

    With a `group` the conversations have several characters, otherwise one.
    """

    seed: int
    people: int
    turns: int
    units: tuple[int, ...]
    group: Group | None
    faults: float
    stalls: float
    hedging: Hedging | None
    losses: dict[str, tuple[float, float, float]]
    troubles: tuple[Trouble, ...]

    def fails(self, server: str) -> bool:
        """Whether a call to the server may fail."""
        away = (one.kind in (Kind.OUTAGE, Kind.PARTITION) and one.server == server for one in self.troubles)
        return any(away) or any(self.losses[server])

    def harms(self, server: str) -> bool:
        """Whether a call to the server may fail, or be cut off with its process."""
        return self.fails(server) or any(one.kind in (Kind.CRASH, Kind.DRAIN) for one in self.troubles)


def drawn(seed: int) -> Schedule:
    """The schedule of a seed."""
    random = Random(seed)
    servers = ("database", "quota", "search", "redis")

    # The fewer things may go wrong, the stricter the laws.
    kinds = random.choice(KINDS)
    lossy = random.random() < 0.5 and kinds != OUTAGES

    def share(most: float) -> float:
        return most * random.random() if lossy and random.random() < 0.3 else 0.0

    troubles = [
        Trouble(
            random.choice(kinds),
            TROUBLE_SECONDS * random.random(),
            random.choice((0.3, 2.0, 12.0, 12.0)) * random.random() if random.random() < 0.98 else LONG_SECONDS,
            random.randrange(PROCESSES),
            random.choice((*servers, "database")),
        )
        for _ in range(random.choice((0, 1, 2, 2, 3, 5)))
    ]
    return Schedule(
        seed,
        people=random.choice((1, 1, 2)),
        turns=random.choice((1, 2, 3)),
        group=_group(random),
        units=(random.randrange(20), random.randrange(5), random.randrange(40)),
        faults=random.choice((0.0, 0.3, 0.8)),
        stalls=random.choice((0.0, 0.3)),
        hedging=random.choice((None, Hedging(after_times=0.1, budget_percent=50))),
        losses={server: (share(0.2), share(0.2), share(0.2)) for server in servers},
        troubles=tuple(sorted(troubles, key=lambda one: one.at)),
    )


def _group(random: Random) -> Group | None:
    if random.random() < 0.5:
        return None
    return Group(
        random.choice((TurnOrder.NATURAL, TurnOrder.LIST, TurnOrder.POOLED)),
        answers_max=random.choice((2, 3)),
        credits_max=random.choice((1, 3, 5, 30)),
        pause_seconds=random.choice((0, 0, 1, 3, 8)),
        seed=random.getrandbits(32),
    )


@dataclass
class Outcome:
    """What a schedule led to; `surprises` are errors that no person should get."""

    schedule: Schedule
    around: Surroundings
    people: tuple[Person, ...]
    at_rest: bool = False
    surprises: list[str] = field(default_factory=list)


async def carried_out(schedule: Schedule, world: World) -> Outcome:
    """Lets a schedule happen, then lets all come to rest and ends the processes."""
    random = Random(f"{schedule.seed} processes")
    around = Surroundings(world, Stage(str(schedule.seed), schedule.faults, schedule.stalls), MODELS, schedule.hedging)
    replicas = Replicas([_started(around, random) for _ in range(PROCESSES)])
    people = tuple(_person(around, schedule, number, replicas) for number in range(schedule.people))
    for server, (lost, unanswered, slow) in schedule.losses.items():
        weather = around.weather[server]
        weather.lost, weather.unanswered, weather.slow, weather.slow_seconds = lost, unanswered, slow, 4.0
    outcome = Outcome(schedule, around, people)
    lives = [asyncio.create_task(person.live()) for person in people]
    async with asyncio.TaskGroup() as tasks:
        for trouble in schedule.troubles:
            tasks.create_task(_happens(trouble, around, replicas, random))
        await asyncio.sleep(TROUBLE_SECONDS if schedule.troubles or any(map(any, schedule.losses.values())) else 0.0)
        for weather in around.weather.values():
            weather.clear()
    limit = world.time() + REST_SECONDS_MAX
    while not outcome.at_rest and world.time() < limit:
        await asyncio.sleep(LOOK_SECONDS)
        outcome.at_rest = all(life.done() for life in lives) and around.database.is_at_rest(world.time())
    for life in lives:
        life.cancel()
    outcome.surprises += [repr(end) for end in await asyncio.gather(*lives, return_exceptions=True) if end is not None]
    for process in replicas.processes:
        await process.drain()
    return outcome


async def _happens(trouble: Trouble, around: Surroundings, replicas: Replicas, random: Random) -> None:
    await asyncio.sleep(trouble.at)
    process = replicas.processes[trouble.process]
    match trouble.kind:
        case Kind.OUTAGE:
            weather = around.weather[trouble.server]
            weather.away = True
            around.streams.wake()
            await asyncio.sleep(trouble.seconds)
            weather.away = False
        case Kind.PARTITION:
            line = process.lines[trouble.server]
            line.away = True
            around.streams.wake()
            await asyncio.sleep(trouble.seconds)
            line.away = False
        case Kind.CRASH | Kind.DRAIN if process.serving:
            await (process.kill() if trouble.kind is Kind.CRASH else process.drain())
            await asyncio.sleep(trouble.seconds)
            replicas.processes[trouble.process] = _started(around, random)


def _started(around: Surroundings, random: Random) -> Process:
    process = Process(around, random)
    process.start()
    return process


def _person(around: Surroundings, schedule: Schedule, number: int, replicas: Replicas) -> Person:
    random, user = Random(f"{schedule.seed} person {number}"), f"person{number}"
    conversation = UUID(int=random.getrandbits(128), version=4)
    first, *others = CAST if schedule.group else CAST[:1]
    around.database.conversations[conversation] = Conversation(
        user, conversation, first, "Sherlock", 0, EPOCH, EPOCH, others=tuple(others), group=schedule.group
    )
    for meter, units in zip(METERS, schedule.units, strict=True):
        around.ledger.left[user, meter] = units
    return Person(user, conversation, replicas, random, schedule.turns)


def _model(name: str, model_class: Class, *capabilities: Capability) -> Model:
    sizes, limits, prices = (4_000, OUTPUT_TOKENS_MAX), Limits(2.0, 1.0), Prices(Decimal(1), Decimal(1), Decimal(2))
    abilities = frozenset(capabilities)
    return Model(name, Wire.OPENAI, name, "", *sizes, limits, model_class, prices, abilities, TOKENS_PER_TURN)


MODELS = (
    _model("swift", Class.STANDARD, Capability.PREFILL),
    _model("plain", Class.STANDARD),
    _model("grand", Class.PREMIUM, Capability.PREFILL),
)
