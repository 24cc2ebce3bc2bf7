"""`python -m services.chat_svc` serves chat_svc."""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import structlog

from runtime import redis
from runtime.channels import channels
from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import EX_CONFIG, load
from scenemesh.chat.v1 import chat_pb2_grpc
from services.chat_svc.closing import Closing
from services.chat_svc.domain.model import Model
from services.chat_svc.estimating import Estimating
from services.chat_svc.generations import Generations
from services.chat_svc.journal import Journal
from services.chat_svc.models import MODELS, ModelsError, reachable
from services.chat_svc.recovery import Recovery
from services.chat_svc.reloading import Reloading
from services.chat_svc.roster import Roster
from services.chat_svc.router import Router
from services.chat_svc.servicer import SERVICE, ChatServicer
from services.chat_svc.settings import Settings
from services.chat_svc.siblings import Characters, Quota
from services.chat_svc.speech import Speech
from services.chat_svc.stopping import Stopping
from services.chat_svc.store import MIGRATIONS, SCHEMA, Answers, Conversations
from services.chat_svc.turns import Turns
from services.chat_svc.watching import Watching

log = structlog.get_logger()


async def main(settings: Settings, file: Path, reached: tuple[tuple[Model, str], ...]) -> None:
    clock = partial(datetime.now, UTC)
    log.info("models", models=[model.id for model, _ in reached])
    async with (
        pool(settings.postgres_dsn.get_secret_value(), schema=SCHEMA, migrations=MIGRATIONS) as connections,
        redis.connect(settings.redis_url) as writing,
        redis.connect(settings.redis_url) as reading,
        channels(settings, "chat") as connect,
        Roster(reached) as roster,
    ):
        conversations, answers = Conversations(connections), Answers(connections, owner=uuid4())
        quota, characters = Quota(connect("quota"), uuid4), Characters(connect("search"), time.monotonic)
        router = Router(roster, time.monotonic)
        journal, speech = Journal(writing, reading), Speech(router, time.monotonic)
        closing = Closing(answers, quota, journal, clock)
        async with (
            Generations(answers, speech, journal, closing, quota, settings.drain_seconds) as generations,
            asyncio.TaskGroup() as tasks,
        ):
            turns = Turns(conversations, answers, characters, quota, speech, generations, clock, uuid4)
            watching = Watching(answers, generations, journal)
            stopping = Stopping(answers, generations, writing, reading)
            estimating = Estimating(conversations, characters, quota, speech)
            servicer = ChatServicer(
                conversations,
                answers,
                characters,
                turns,
                watching,
                stopping,
                estimating,
                quota,
                router,
                clock,
                uuid4,
            )
            recovery = Recovery(answers, generations, journal, closing, clock)
            workers = (recovery.run, stopping.run, Reloading(file, os.environ, roster).run)
            background = [tasks.create_task(work()) for work in workers]
            register = partial(chat_pb2_grpc.add_ChatServiceServicer_to_server, servicer)
            await serve(settings, "chat", register, [SERVICE])
            for task in background:
                task.cancel()


def read_models(file: Path) -> tuple[tuple[Model, str], ...]:
    """The models that this machine reaches; prints every fault of the file and exits with 78 if there is one."""
    try:
        return reachable(file, os.environ)
    except (ModelsError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (no logs yet)
        sys.exit(EX_CONFIG)


if __name__ == "__main__":
    settings = load(Settings)
    file = settings.models or MODELS
    run("chat", settings, partial(main, settings, file, read_models(file)))
