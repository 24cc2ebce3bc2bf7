"""`scenemesh`, as a program that waits for a Redis on a busy machine: `python -m tests.service.cli.patient …`."""

import runpy

from runtime import redis

if __name__ == "__main__":
    redis.TIMEOUT_SECONDS = 60.0
    runpy.run_module("cli", run_name="__main__", alter_sys=True)
