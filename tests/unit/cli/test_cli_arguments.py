import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_argument_that_is_no_text_is_refused_in_a_sentence(options: list[str]) -> None:
    command: list[str | bytes] = [sys.executable, "-m", "cli", "chat", "sherlock-holmes", b"bad \xff", *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    message = r"'bad \udcff' is no text in UTF-8."
    if options:
        assert json.loads(ran.stdout)["error"]["message"] == message
    else:
        assert ran.stderr == f"scenemesh: {message}\n"
    assert ran.returncode == 2
