import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.chat_svc.domain.hedging import Hedges, Hedging
from services.chat_svc.models import reloading
from services.chat_svc.models.models import reached
from services.chat_svc.models.reloading import Reloading
from services.chat_svc.models.roster import Roster
from tests.unit.chat_svc.models import Openings

ENVIRONMENT = {"KEY": "k"}


def write(file: Path, *names: str, more: str = "") -> None:
    """A file with these models. Its time goes on, however fast tests are."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text("".join(_entry(name) for name in names) + more)
    os.utime(file, ns=(before + 1_000, before + 1_000))


def replace(file: Path, *names: str) -> None:
    """Another file with these models in its place, which is as old."""
    other, written = file.with_name("other.toml"), file.stat().st_mtime_ns
    write(other, *names)
    os.utime(other, ns=(written, written))
    other.replace(file)


def _entry(name: str) -> str:
    limits = "context_tokens = 8_000\noutput_tokens_max = 500\nfirst_word_seconds = 30\nidle_seconds = 20"
    kind = 'wire = "openai"\nclass = "standard"\ntokens_per_turn = 1_000\nkey_variable = "KEY"'
    return f'[[model]]\nid = "{name}"\n{kind}\n{limits}\n'


def remove(file: Path) -> None:
    file.unlink()


def names(roster: Roster) -> list[str]:
    return [model.id for model in roster.models]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "models.toml"
    write(file, "one", "two")
    return file


async def test_a_change_of_the_file_is_taken_over(file: Path) -> None:
    openings = Openings()
    async with Roster(reached(file, ENVIRONMENT).models, openings) as roster:
        watch = Reloading(file, ENVIRONMENT, roster, Hedges())
        await watch.look()
        assert (names(roster), len(openings.given)) == (["one", "two"], 2)
        write(file, "two", "three")
        await watch.look()
        assert (names(roster), len(openings.given)) == (["two", "three"], 3)
        assert openings.given[0].closed


async def test_a_provider_that_was_in_use_is_closed_once_it_is_not_though_the_file_stays_as_it_is(file: Path) -> None:
    openings = Openings()
    async with Roster(reached(file, ENVIRONMENT).models, openings) as roster:
        watch = Reloading(file, ENVIRONMENT, roster, Hedges())
        with roster.used("one"):
            write(file, "two")
            await watch.look()
            assert openings.closed == []
        await watch.look()
        assert (openings.given[0].closed, openings.given[1].closed) == (True, False)


async def test_a_file_that_is_put_in_its_place_is_taken_over_though_it_is_as_old(file: Path) -> None:
    async with Roster(reached(file, ENVIRONMENT).models, Openings()) as roster:
        watch = Reloading(file, ENVIRONMENT, roster, Hedges())
        replace(file, "two", "one")
        await watch.look()
        assert names(roster) == ["two", "one"]


async def test_a_file_with_faults_is_told_once_and_changes_nothing(file: Path) -> None:
    async with Roster(reached(file, ENVIRONMENT).models, Openings()) as roster:
        watch = Reloading(file, ENVIRONMENT, roster, Hedges())
        write(file, "one", "one", more="surprise = 1\nwire = 2\n")
        with capture_logs() as logs:
            await watch.look()
            await watch.look()
        assert [(line["event"], line["log_level"]) for line in logs] == [("models not reloaded", "error")]
        write(file, "one", "one", more='[[model]]\nid = "three"\n')
        with capture_logs() as logs:
            await watch.look()
        assert "models.toml: model.one: stands there more than once" in [line["fault"] for line in logs]
        assert "models.toml: model.three.wire: Field required" in [line["fault"] for line in logs]
        assert names(roster) == ["one", "two"]
        write(file, "three")
        await watch.look()
        assert names(roster) == ["three"]


async def test_a_file_that_goes_away_and_comes_back_is_followed(file: Path) -> None:
    async with Roster(reached(file, ENVIRONMENT).models, Openings()) as roster:
        watch = Reloading(file, ENVIRONMENT, roster, Hedges())
        remove(file)
        with capture_logs() as logs:
            await watch.look()
            await watch.look()
        assert [line["fault"] for line in logs] == [f"{file}: No such file or directory"]
        assert names(roster) == ["one", "two"]
        write(file, "one")
        await watch.look()
        assert names(roster) == ["one"]


async def test_hedging_comes_and_goes_with_the_file(file: Path) -> None:
    hedges = Hedges()
    async with Roster(reached(file, ENVIRONMENT).models, Openings()) as roster:
        watch = Reloading(file, ENVIRONMENT, roster, hedges)
        write(file, "one", more="[hedging]\nafter_times = 3\nbudget_percent = 5\n")
        await watch.look()
        assert hedges.rule == Hedging(after_times=3.0, budget_percent=5)
        write(file, "one", more="[hedging]\nafter_times = 3\n")
        await watch.look()
        assert hedges.rule == Hedging(after_times=3.0, budget_percent=5)
        write(file, "one")
        await watch.look()
        assert hedges.rule is None


@pytest.mark.parametrize(
    "more",
    [
        "a = " + "[" * 3_000 + "]" * 3_000,
        "a = " + "9" * 5_000,
        _entry("snowy").replace("key_variable", 'base_url = "http://☃.example/v1"\nkey_variable'),
    ],
    ids=["deep", "long", "snowy"],
)
async def test_a_file_that_nobody_can_make_anything_of_changes_nothing_and_the_next_one_counts(
    file: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    monkeypatch.setattr(reloading, "POLL_SECONDS", 0.001)
    async with Roster(reached(file, ENVIRONMENT).models) as roster, asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(Reloading(file, ENVIRONMENT, roster, Hedges()).run())
        with capture_logs() as logs:
            write(file, "one", more=more)
            async with asyncio.timeout(60):
                while not logs:
                    await asyncio.sleep(0.001)
        assert [(line["event"], line["log_level"]) for line in logs] == [("models not reloaded", "error")]
        assert names(roster) == ["one", "two"]
        write(file, "three")
        async with asyncio.timeout(60):
            while names(roster) != ["three"]:
                await asyncio.sleep(0.001)
        looking.cancel()


async def test_it_looks_by_itself(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "POLL_SECONDS", 0.001)
    async with Roster(reached(file, ENVIRONMENT).models, Openings()) as roster, asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(Reloading(file, ENVIRONMENT, roster, Hedges()).run())
        write(file, "three")
        async with asyncio.timeout(60):
            while names(roster) != ["three"]:
                await asyncio.sleep(0.001)
        looking.cancel()
