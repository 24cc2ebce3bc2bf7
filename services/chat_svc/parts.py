"""The parts of one process of chat_svc and how they hang together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import grpc
from redis.asyncio import Redis

from runtime.events.relay import Relay
from runtime.postgres import Pool
from services.chat_svc.announcing import Announcing
from services.chat_svc.answering.closing import Closing
from services.chat_svc.answering.generations import Generations
from services.chat_svc.answering.going_on import GoingOn
from services.chat_svc.answering.handing_over import Offering
from services.chat_svc.answering.journal import Journal
from services.chat_svc.answering.recovery import Recovery
from services.chat_svc.answering.speech import Speech
from services.chat_svc.answering.stopping import Stopping
from services.chat_svc.answering.watching import Watching
from services.chat_svc.archive.exporting import Exporting
from services.chat_svc.archive.importing import Importing
from services.chat_svc.archive.printing import Printer, printing
from services.chat_svc.archive.sources import Sources
from services.chat_svc.domain.audio import Task
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.hedging import Hedges
from services.chat_svc.media.hearing import Hearing
from services.chat_svc.media.pixels import Pixels
from services.chat_svc.media.reciting import Reciting
from services.chat_svc.media.shelf import Shelf
from services.chat_svc.media.showing import Showing
from services.chat_svc.media.tolls import Tolls
from services.chat_svc.models.audio_roster import nobody
from services.chat_svc.models.roster import Roster
from services.chat_svc.models.router import Router
from services.chat_svc.providers.audio import Audio
from services.chat_svc.scenes.asides import Asides
from services.chat_svc.scenes.asking import Asking
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.scenes.portraits.portraits import Portraits, Source, portraits
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.scenes.suggesting import Suggesting
from services.chat_svc.scenes.summarising import Summarising
from services.chat_svc.scenes.titling import Titling
from services.chat_svc.siblings import Quota
from services.chat_svc.standings import Standings
from services.chat_svc.store import Answers, Branches, Conversations, Forks, History, Messages
from services.chat_svc.store.characters import CustomCharacters, Kept
from services.chat_svc.store.claims import Dictations, Recitals
from services.chat_svc.store.media import KeptMedia
from services.chat_svc.store.rounds import Rounds as KeptRounds
from services.chat_svc.store.suggestions import Suggestions
from services.chat_svc.store.told import Told
from services.chat_svc.store.transcripts import Transcripts
from services.chat_svc.turning.casting import Casting
from services.chat_svc.turning.deleting import Deleting
from services.chat_svc.turning.estimating import Estimating
from services.chat_svc.turning.opening import Opening
from services.chat_svc.turning.places import Places
from services.chat_svc.turning.rates import Rates, limits
from services.chat_svc.turning.rounds import Rounds
from services.chat_svc.turning.turns import Turns


@dataclass(frozen=True)
class Resources:
    """What a process has open: Postgres, two connections to Redis, its siblings, its models, and who knows characters.

    `reserved` is the one connection to Postgres that leases are renewed over, `connections` are what all else shares.
    `clock` gives the present in UTC, `able` the models that hear or speak.
    """

    connections: Pool
    reserved: Pool
    writing: Redis
    reading: Redis
    connect: Callable[[str], grpc.aio.Channel]
    roster: Roster
    hedges: Hedges
    clock: Callable[[], datetime]
    drain_seconds: float
    sources: Sequence[Source] = ()
    able: Callable[[Task], Sequence[Audio]] = nobody


@dataclass(frozen=True)
class Parts:
    """What the RPCs are made of. `new_id` gives an id for a thing."""

    conversations: Conversations
    branches: Branches
    forks: Forks
    deleting: Deleting
    messages: Messages
    history: History
    answers: Answers
    characters: Characters
    custom_characters: CustomCharacters
    quota: Quota
    standings: Standings
    router: Router
    generations: Generations
    turns: Turns
    watching: Watching
    stopping: Stopping
    suggesting: Suggesting
    estimating: Estimating
    rates: Rates
    recovery: Recovery
    going_on: GoingOn
    announcing: Announcing
    told: Told
    exporting: Exporting
    importing: Importing
    relay: Relay
    shelf: Shelf
    hearing: Hearing
    reciting: Reciting
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]

    @property
    def workers(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """What runs as long as the process does."""
        return (
            self.recovery.run,
            self.going_on.run,
            self.stopping.run,
            self.relay.run,
            self.standings.run,
            self.shelf.run,
        )


@asynccontextmanager
async def assembled(resources: Resources) -> AsyncIterator[Parts]:
    """The parts of a process; when the block ends, answers that are being made have their time to end."""
    async with (
        portraits(resources.sources, Kept(resources.connections), resources.clock) as known,
        printing() as printer,
        _assembled(resources, known, printer) as parts,
    ):
        yield parts


@asynccontextmanager
async def _assembled(resources: Resources, known: Portraits, printer: Printer) -> AsyncIterator[Parts]:
    connections, clock = resources.connections, resources.clock
    conversations, messages = Conversations(connections), Messages(connections)
    branches = Branches(connections)
    answers = Answers(connections, resources.reserved, owner=uuid4())
    quota, custom = Quota(resources.connect("quota"), uuid4), CustomCharacters(connections)
    characters = Characters(resources.connect("search"), custom, known, monotonic)
    router = Router(resources.roster, monotonic)
    journal, speech = Journal(resources.writing, resources.reading), Speech(router, monotonic, resources.hedges)
    announcing, standings = Announcing(uuid4), Standings(quota, resources.reading, monotonic)
    media, tolls = KeptMedia(connections), Tolls(resources.connect("quota"), uuid4)
    showing, shelf = Showing(media), Shelf(media, Pixels(), clock, uuid4)
    sources, transcripts = Sources(characters, custom, shelf, media), Transcripts(connections)
    scenes, asking = Scenes(transcripts, characters, showing), Asking(router)
    titling = Titling(asking, conversations, transcripts, scenes)
    summarising = Summarising(asking, router, conversations, transcripts, scenes, standings)
    asides, relay = Asides([titling.after, summarising.after]), Relay(connections, resources.writing)

    def closed(answer: Message) -> None:
        relay.nudge()
        asides.closed(answer)

    closing = Closing(answers, quota, journal, announcing, clock, closed)
    offering = Offering(answers, resources.writing)
    kept_rounds = KeptRounds(connections)
    casting, opening = Casting(kept_rounds, characters), Opening(answers, quota, speech, clock)
    async with (
        asides,
        Generations(answers, speech, journal, closing, quota, resources.drain_seconds, offering) as generations,
        Rounds(opening, generations, scenes, conversations, answers, kept_rounds, uuid4) as rounds,
    ):
        places = Places(messages, kept_rounds, casting)
        watching, told = Watching(answers, kept_rounds, generations, journal), Told(connections, relay.nudge)
        yield Parts(
            conversations=conversations,
            branches=branches,
            forks=Forks(connections, relay.nudge),
            deleting=Deleting(answers, closing, conversations, branches),
            messages=messages,
            history=History(connections),
            answers=answers,
            characters=characters,
            custom_characters=custom,
            quota=quota,
            standings=standings,
            router=router,
            generations=generations,
            turns=Turns(conversations, answers, places, scenes, showing, rounds, clock, uuid4),
            watching=watching,
            stopping=Stopping(answers, kept_rounds, generations, resources.writing, resources.reading),
            suggesting=Suggesting(
                asides, asking, conversations, messages, transcripts, Suggestions(connections), scenes
            ),
            rates=Rates(resources.writing, limits()),
            estimating=Estimating(conversations, casting, scenes, standings, speech),
            recovery=Recovery(answers, kept_rounds, rounds, generations, journal, closing, clock),
            going_on=GoingOn(
                answers,
                conversations,
                messages,
                scenes,
                showing,
                speech,
                generations,
                offering,
                rounds,
                resources.reading,
            ),
            announcing=announcing,
            told=told,
            exporting=Exporting(conversations, messages, sources, watching, printer),
            importing=Importing(told, sources, announcing, clock),
            relay=relay,
            shelf=shelf,
            hearing=Hearing(shelf, Dictations(connections), tolls, resources.able, uuid4),
            reciting=Reciting(messages, Recitals(connections), tolls, resources.able, uuid4),
            clock=clock,
            new_id=uuid4,
        )


@asynccontextmanager
async def working(parts: Parts) -> AsyncIterator[None]:
    """The workers run while the block does."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work()) for work in parts.workers]
        yield
        for task in running:
            task.cancel()
