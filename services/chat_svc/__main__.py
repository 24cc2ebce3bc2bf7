"""`python -m services.chat_svc` serves chat_svc."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import structlog

from runtime import redis
from runtime.channels import channels
from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import load
from scenemesh.chat.v1 import chat_pb2_grpc
from services.chat_svc import models, providers
from services.chat_svc.closing import Closing
from services.chat_svc.generations import Generations
from services.chat_svc.journal import Journal
from services.chat_svc.recovery import Recovery
from services.chat_svc.servicer import SERVICE, ChatServicer
from services.chat_svc.settings import Settings
from services.chat_svc.siblings import Characters, Quota
from services.chat_svc.speech import Speech
from services.chat_svc.store import MIGRATIONS, SCHEMA, Answers, Conversations
from services.chat_svc.turns import Turns
from services.chat_svc.watching import Watching

log = structlog.get_logger()


async def main(settings: Settings) -> None:
    clock = partial(datetime.now, UTC)
    reachable = models.reachable(models.MODELS, os.environ)
    log.info("models", models=[model.id for model, _ in reachable])
    async with (
        pool(settings.postgres_dsn.get_secret_value(), schema=SCHEMA, migrations=MIGRATIONS) as connections,
        redis.connect(settings.redis_url) as writing,
        redis.connect(settings.redis_url) as reading,
        channels(settings, "chat") as connect,
        providers.opened(reachable) as opened,
    ):
        conversations, answers = Conversations(connections), Answers(connections, owner=uuid4())
        quota, characters = Quota(connect("quota"), uuid4), Characters(connect("search"), time.monotonic)
        journal, speech = Journal(writing, reading), Speech(opened)
        closing = Closing(answers, quota, journal, clock)
        async with Generations(answers, speech, journal, closing, settings.drain_seconds) as generations:
            turns = Turns(conversations, answers, characters, quota, speech, generations, clock, uuid4)
            watching = Watching(answers, generations, journal)
            servicer = ChatServicer(conversations, answers, characters, turns, watching, clock, uuid4)
            register = partial(chat_pb2_grpc.add_ChatServiceServicer_to_server, servicer)
            async with _recovering(Recovery(answers, generations, journal, closing, clock)):
                await serve(settings, "chat", register, [SERVICE])


@asynccontextmanager
async def _recovering(recovery: Recovery) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        sweeping = tasks.create_task(recovery.run())
        yield
        sweeping.cancel()


if __name__ == "__main__":
    settings = load(Settings)
    run("chat", settings, partial(main, settings))
