"""Style that can be checked is checked."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LINES_MAX = 400
WRITTEN_BY_OTHERS = ("gen/", "third_party/")


def _tracked(*suffixes: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [
        ROOT / line
        for line in listed.stdout.splitlines()
        if line.endswith(suffixes) and not line.startswith(WRITTEN_BY_OTHERS) and (ROOT / line).exists()
    ]


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["lint-imports", "--no-cache"], ["mypy"]],
    ids=" ".join,
)
def test_the_tools_find_nothing(command: list[str]) -> None:
    ran = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_files_stay_small() -> None:
    long = {str(path.relative_to(ROOT)) for path in _tracked(".py") if len(path.read_text().splitlines()) > LINES_MAX}
    assert long == set()


def test_lock_files_hold_no_addresses() -> None:
    locks = [ROOT / "requirements.lock", *_tracked("package-lock.json")]
    assert [lock.name for lock in locks if re.search(r"https?://", lock.read_text())] == []


def test_every_service_has_the_same_anatomy() -> None:
    parts = {"__init__", "__main__", "settings", "servicer", "convert", "domain", "store", "migrations"}
    services = [path for path in (ROOT / "services").iterdir() if path.is_dir() and path.name.endswith("_svc")]
    lacking = {path.name: parts - {part.stem for part in path.iterdir()} for path in services}
    assert lacking == {path.name: set() for path in services}


def test_no_sleep_hides_in_a_test() -> None:
    tests = [path for path in _tracked(".py") if "tests" in path.parts and path != Path(__file__)]
    assert [path for path in tests if "time.sleep(" in path.read_text()] == []
