"""Figures as tables of a page: each table stands between two marks, and is written anew by its benchmark."""

import os
import platform
import re
from pathlib import Path

from benchmarks.load import Result


def quota(deduct: Result, inside: Result, echo: Result, outside: Result, paced: Result, memory: list[float]) -> str:
    """The table of `benchmarks/quota.py`."""
    rows = [
        ("deduct function, one call each, pool of 20", deduct, ""),
        ("ledger in process", inside, f"{inside.per_second / deduct.per_second:.2f} times the function (target 4)"),
        ("bare gRPC echo", echo, ""),
        ("ledger over gRPC", outside, f"{outside.per_second / echo.per_second:.2f} times the echo (target 0.8)"),
        ("ledger over gRPC at half load", paced, "p99 at most 5 ms is the target"),
    ]
    lines = [f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}", ""]
    lines += ["| | per second | p50 | p99 | |", "|---|---:|---:|---:|---|"]
    lines += [
        f"| {name} | {one.per_second:,.0f} | {one.p50_ms:.1f} ms | {one.p99_ms:.1f} ms | {remark} |"
        for name, one, remark in rows
    ]
    if memory:
        growth = 100 * (memory[-1] - memory[1]) / memory[1]
        told = ", ".join(f"{sample:.0f}" for sample in memory)
        lines += ["", f"Memory in MiB after each tenth of the operations: {told} ({growth:+.1f} % after the second)."]
    return "\n".join(lines)


def put(page: Path, name: str, table: str) -> None:
    """Writes the table between its marks; ValueError when the page lacks them."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    text = page.read_text()
    if not pattern.search(text):
        raise ValueError(f"{page} has no marks for the table {name}")
    page.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text))
