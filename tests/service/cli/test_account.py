"""Whom Postgres runs as where the machine is root's."""

import os
import sys
from pathlib import Path

import pytest

from cli.local.account import for_postgres
from cli.local.process import Launch, completed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="Only root starts Postgres as somebody else.")

# As initdb asks about its own binaries.
ASK = "import os, sys; print(os.getuid(), os.access(sys.argv[1], os.X_OK))"


async def test_it_may_run_what_stands_in_a_folder_that_is_roots_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    program = home / "program"
    program.touch(mode=0o755)
    account = for_postgres()
    assert account is not None
    log = tmp_path / "log"
    asking = Launch((sys.executable, "-c", ASK, str(program)), {}, account)
    assert await completed(asking, log=log, text="") == 0
    assert log.read_text().split() == [str(account.uid), "True"]
