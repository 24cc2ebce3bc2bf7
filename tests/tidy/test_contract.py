"""The contract holds together, and gen/ is what protos/ say."""

import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from grpc_health.v1 import health

from runtime.contract import Contract, ContractError, descriptor_set_path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def test_every_rpc_has_a_sound_policy() -> None:
    assert len(list(Contract.load(descriptor_set_path()))) > 0


def test_a_contract_with_an_rpc_without_a_policy_is_refused() -> None:
    with pytest.raises(ContractError, match=r"Check has no \(scenemesh.policy.v1.rpc\) option"):
        Contract.of([health.SERVICE_NAME])


@pytest.mark.parametrize("arguments", [["lint"], ["format", "--diff", "--exit-code", "protos"]], ids=lambda it: it[0])
def test_buf_finds_nothing(arguments: list[str]) -> None:
    ran = subprocess.run([BIN / "buf", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_contract_breaks_nobody_who_uses_main() -> None:
    main = subprocess.run(["git", "rev-parse", "--verify", "--quiet", "main"], cwd=ROOT, capture_output=True, text=True)
    if main.returncode != 0:
        pytest.skip("there is no branch main to compare with in this checkout")
    against = f".git#ref={main.stdout.strip()}"
    ran = subprocess.run([BIN / "buf", "breaking", "--against", against], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


def test_gen_is_fresh(tmp_path: Path) -> None:
    """Generates anew from a copy of what is written by hand, and compares file by file."""
    for name in ("protos", "third_party", "Makefile", "buf.yaml", "buf.gen.yaml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    ran = subprocess.run(
        ["make", "gen", f"BIN={BIN}", "--assume-old=setup"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path / 'gen/python'}:{ROOT}", "WEB": str(ROOT / "tests/e2e/web")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert list(_differences(ROOT / "gen", tmp_path / "gen")) == []


def _differences(committed: Path, fresh: Path) -> Iterator[str]:
    compared = filecmp.dircmp(committed, fresh, ignore=["__pycache__"])
    folders = [compared]
    while folders:
        folder = folders.pop()
        yield from (f"not generated any more: {Path(folder.left) / name}" for name in folder.left_only)
        yield from (f"not committed: {Path(folder.left) / name}" for name in folder.right_only)
        yield from (f"stale: {Path(folder.left) / name}" for name in folder.diff_files)
        folders += folder.subdirs.values()
