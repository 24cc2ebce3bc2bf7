"""`python -m services.chat_svc` serves chat_svc."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from runtime import redis
from runtime.channels import channels
from runtime.postgres import pool, reserved
from runtime.process import run
from runtime.serve import serve
from runtime.settings import EX_CONFIG, load
from services.chat_svc.domain.hedging import Hedges
from services.chat_svc.models.audio_models import audible
from services.chat_svc.models.audio_roster import AudioRoster
from services.chat_svc.models.models import MODELS, ModelsError, Reached, reached
from services.chat_svc.models.reloading import Reloading
from services.chat_svc.models.roster import Roster
from services.chat_svc.parts import Resources, assembled, working
from services.chat_svc.scenes.portraits.sources import sources
from services.chat_svc.servicer import SERVICES, register
from services.chat_svc.settings import Settings
from services.chat_svc.store import MIGRATIONS, SCHEMA

log = structlog.get_logger()


async def main(settings: Settings, file: Path, said: Reached) -> None:
    clock, dsn, hedges = partial(datetime.now, UTC), settings.postgres_dsn.get_secret_value(), Hedges(said.hedging)
    log.info("models", models=[model.id for model, _ in said.models])
    async with (
        pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        reserved(dsn, schema=SCHEMA) as renewing,
        redis.connect(settings.redis_url) as writing,
        redis.connect(settings.redis_url) as reading,
        channels(settings, "chat") as connect,
        Roster(said.models) as roster,
        sources(settings) as asked,
        AudioRoster(file, os.environ) as audio,
        assembled(
            Resources(
                connections,
                renewing,
                writing,
                reading,
                connect,
                roster,
                hedges,
                clock,
                settings.drain_seconds,
                asked,
                audio.able,
            )
        ) as parts,
        working(parts),
        asyncio.TaskGroup() as tasks,
    ):
        reloading = tasks.create_task(Reloading(file, os.environ, roster, hedges).run())
        await serve(settings, "chat", partial(register, parts), SERVICES)
        reloading.cancel()


def read_models(file: Path) -> Reached:
    """The models that this machine reaches; prints every fault of the file and exits with 78 if there is one."""
    try:
        audible(file, os.environ)
        return reached(file, os.environ)
    except (ModelsError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (no logs yet)
        sys.exit(EX_CONFIG)


if __name__ == "__main__":
    settings = load(Settings)
    file = settings.models or MODELS
    run("chat", settings, partial(main, settings, file, read_models(file)))
