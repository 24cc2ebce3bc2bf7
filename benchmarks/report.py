"""Figures as tables of a page: each table stands between two marks, and is written anew by its benchmark."""

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.billing_burst import Burst
from benchmarks.chat_contender import LATENCIES, Contender
from benchmarks.load import Result
from benchmarks.search_figures import Figures, Latency, Recall, Swap

# Up to so many entries the targets are those of the smaller catalogue.
SMALL = 200_000
# Misspellings that people were seen to make.
MISSPELLED = ("misspelled, codespell", "misspelled, nlpaug", "misspelled, wikipedia")

# What a reader should think of an added time that is less than nothing.
BELOW_ZERO = (
    "An added time below zero says that in that round the direct path was itself the slower one, disturbed by the\n"
    "machine: nothing that can be measured was added, and nothing was gained."
)


def quota(deduct: Result, inside: Result, echo: Result, outside: Result, paced: Result, memory: list[float]) -> str:
    """The table of `benchmarks/quota.py`."""
    rows = [
        ("deduct function, one call each, pool of 20", deduct, ""),
        ("ledger in process", inside, f"{inside.per_second / deduct.per_second:.2f} times the function (target 4)"),
        ("bare gRPC echo", echo, ""),
        ("ledger over gRPC", outside, f"{outside.per_second / echo.per_second:.2f} times the echo (target 0.8)"),
        ("ledger over gRPC at half load", paced, "p99 at most 5 ms is the target"),
    ]
    lines = [_machine(), ""]
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


def search(entries: int, figures: Sequence[Figures], swap: Swap | None) -> str:
    """The tables of `benchmarks/search.py` for one number of entries; the engine of this repository is the last."""
    sqlite = next((one.queries.per_second for one in figures if one.engine.startswith("SQLite")), None)
    columns = ["build", "memory", "p50", "p99", "a second", "1 character", "2 characters"]
    lines = [_machine(), "", _row([f"{entries:,} entries", *columns])]
    lines += ["|---|---:|---:|---:|---:|---:|---:|---:|"]
    for one in figures:
        cells = [one.engine, f"{one.build_seconds:.1f} s", f"{one.memory_mib:,.0f} MiB"]
        cells += [_ms(one.queries.p50_ms), _ms(one.queries.p99_ms), f"{one.queries.per_second:,.0f}"]
        cells += [_both(one.one), _both(one.two)]
        lines.append(_row(cells))
    kinds: dict[str, tuple[str, ...]] = {"all": (), "all misspelled": MISSPELLED}
    kinds |= {noise: (noise,) for noise in sorted({noise for one in figures for noise in one.recalls})}
    lines += ["", _row(["recall@10 / MRR", *(one.engine.partition(",")[0] for one in figures)])]
    lines += ["|---|" + "---:|" * len(figures)]
    for name, noises in kinds.items():
        recalls = [one.recall(*noises) for one in figures]
        lines.append(_row([name, *(_recall(recall) for recall in recalls)]))
    lines.append(_row(["queries", *(f"{one.recall().asked:,}" for one in figures)]))
    ours = figures[-1]
    if ours.file_mib:
        lines += ["", _memory(ours), "", "| target | | |", "|---|---:|---|"]
        lines += [_row(target) for target in _targets(entries, ours, sqlite, swap)]
    return "\n".join(lines)


def suggest(calls: Mapping[str, Result]) -> str:
    """The table of Suggest over gRPC; the echo comes first."""
    echo = next(iter(calls.values()))
    lines = ["| | per second | p50 | p99 | |", "|---|---:|---:|---:|---|"]
    for name, one in calls.items():
        remark = "" if one is echo else f"{one.per_second / echo.per_second:.2f} times the echo (target 0.8)"
        lines.append(_row([name, f"{one.per_second:,.0f}", _ms(one.p50_ms), _ms(one.p99_ms), remark]))
    return "\n".join(lines)


def billing(measured: Mapping[str, Mapping[int, Result]], bursts: Sequence[Burst]) -> str:
    """The tables of `benchmarks/billing.py`: every second one of `measured` stands beside the one before it."""
    lines = [_machine(), "", "| | at once | per second | p50 | p99 | |", "|---|---:|---:|---:|---:|---|"]
    names = list(measured)
    for place, name in enumerate(names):
        for at_once, one in measured[name].items():
            peer = measured[names[place - 1]][at_once]
            remark = f"{one.per_second / peer.per_second:.2f} times {names[place - 1]} (target 1)" if place % 2 else ""
            lines.append(_row([name, str(at_once), f"{one.per_second:,.0f}", _ms(one.p50_ms), _ms(one.p99_ms), remark]))
    if bursts:
        lines += ["", "| burst through Envoy | other answers than 200 | acknowledged | worked on | memory |"]
        lines += ["|---|---:|---:|---:|---:|"]
        lines += [
            f"| {one.events:,} events | {one.statuses.total() - one.statuses[200]} | {one.acknowledged_seconds:.1f} s "
            f"| {one.drained_seconds:.1f} s | {one.memory_mib:.0f} MiB |"
            for one in bursts
        ]
    return "\n".join(lines)


def chat(contenders: Sequence[Contender], turns: int) -> str:
    """The tables of `benchmarks/chat.py`; the direct path is the first of the three, ours the last."""
    direct, peer, ours = contenders
    lines = [
        _machine(),
        "",
        _row(["", "streams", "first piece p50", "p99", "added p50", "p99", "added between two, p99"]),
    ]
    lines += ["|---|---:|---:|---:|---:|---:|---:|"]
    below_zero = False
    for streams in LATENCIES:
        for one in contenders:
            all_of_it, added = one.median(streams), one.added(streams, direct)
            cells = [one.name, str(streams), _ms(all_of_it.first_p50), _ms(all_of_it.first_p99)]
            more = [added.first_p50, added.first_p99, added.gap_p99]
            lines.append(_row([*cells, *("" if one is direct else _ms(number) for number in more)]))
            below_zero = below_zero or min(more) < 0
    if below_zero:
        lines += ["", BELOW_ZERO]
    lines += [
        "",
        _row(["", "pieces a second", "live streams", "an idle stream takes", f"memory under {turns:,} turns"]),
    ]
    lines += ["|---|---:|---:|---:|---:|"]
    for one in contenders:
        idle = ", ".join(f"{name} {kib:,.0f} KiB" for name, kib in one.idle.items())
        lines.append(_row([one.name, f"{one.per_second:,.0f}", _live(one), idle, ", ".join(_grown(one))]))
    if any(one.refused for one in contenders):
        lines += ["", f"Refused: {', '.join(f'{one.name} {one.refused:,} of {one.asked:,}' for one in contenders)}."]
    lines += ["", "| target | | |", "|---|---:|---|"]
    for streams in LATENCIES:
        own, other = ours.added(streams, direct), peer.added(streams, direct)
        for name, mine, theirs in (("p50", own.first_p50, other.first_p50), ("p99", own.first_p99, other.first_p99)):
            target = f"first piece at {streams}, {name}: at most 0.2 times what LiteLLM adds"
            lines.append(_row([target, f"{mine / theirs:.2f} times", _met(mine <= theirs / 5)]))
    times = ours.per_second / peer.per_second
    lines.append(_row(["pieces a second: at least 5 times LiteLLM's", f"{times:.2f} times", _met(times >= 5)]))
    lines.append(_row(["live streams: at least 500", f"{ours.live_streams:,}", _met(ours.live_streams >= 500)]))
    if ours.memory:
        begin, end = (sum(ours.memory[index].values()) for index in (1, -1))
        growth = 100 * (end - begin) / begin
        lines.append(_row(["memory: flat after the first tenth", f"{growth:+.1f} %", _met(growth <= 2)]))
    return "\n".join(lines)


def _live(one: Contender) -> str:
    """How many were sustained, and how the next ones failed."""
    failed = next((live for live in one.live if not live.sustained), None)
    if failed is None:
        return f"{one.live_streams:,} or more"
    if failed.refused:
        return f"{one.live_streams:,} ({failed.refused} of {failed.streams:,} not begun in time)"
    return f"{one.live_streams:,} (at {failed.streams:,}: {_ms(failed.stall_ms)}, {failed.share:.0%} came)"


def _grown(one: Contender) -> Iterable[str]:
    """Memory before the turns, after the first tenth of them, and after all, by process."""
    for name in one.memory[0] if one.memory else ():
        told = ", ".join(f"{one.memory[index][name]:,.0f}" for index in (0, 1, -1))
        yield f"{name} {told} MiB"


def _targets(entries: int, ours: Figures, sqlite: float | None, swap: Swap | None) -> list[list[str]]:
    """What was to be reached, what was, and whether that is enough."""
    all_of_it, misspelled = ours.recall().share, ours.recall(*MISSPELLED).share
    p99_ms = 5 if entries > SMALL else 3
    rows = [
        ["recall@10 of all, at least 0.90", f"{all_of_it:.3f}", _met(all_of_it >= 0.9)],
        ["recall@10 of all misspelled, at least 0.85", f"{misspelled:.3f}", _met(misspelled >= 0.85)],
        [f"p99, at most {p99_ms} ms", _ms(ours.queries.p99_ms), _met(ours.queries.p99_ms <= p99_ms)],
        [f"p99 of 1 character, at most {p99_ms} ms", _ms(ours.one.p99_ms), _met(ours.one.p99_ms <= p99_ms)],
    ]
    if entries > SMALL:
        rows.append(["memory, at most 1,024 MiB", f"{ours.memory_mib:,.0f} MiB", _met(ours.memory_mib <= 1024)])
    else:
        rows.append(["p50, at most 0.5 ms", _ms(ours.queries.p50_ms), _met(ours.queries.p50_ms <= 0.5)])
    if sqlite:
        times = ours.queries.per_second / sqlite
        rows.append(["queries a second, at least 10 times SQLite's", f"{times:.0f} times", _met(times >= 10)])
    if swap:
        for name, one in (
            ("while an index is built", swap.building),
            ("with an index loaded every second", swap.loading),
        ):
            times = one.p99_ms / swap.steady.p99_ms
            said = f"{times:.2f} times, {_ms(one.p99_ms)} to {_ms(swap.steady.p99_ms)}"
            rows.append([f"p99 {name}, at most 2 times steady", said, _met(times <= 2)])
    return rows


def _memory(one: Figures) -> str:
    return (
        f"Memory of {one.engine}: {one.own_mib:.0f} MiB of its own and {one.mapped_mib:.0f} MiB mapped of a file of "
        f"{one.file_mib:.0f} MiB; the process that built it took {one.build_memory_mib:,.0f} MiB at most."
    )


def _recall(recall: Recall) -> str:
    return f"{recall.share:.3f} / {recall.rank:.3f}" if recall.asked else "none asked"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _met(met: bool) -> str:
    return "met" if met else "missed"


def _both(latency: Latency) -> str:
    return f"{_ms(latency.p50_ms)}, {_ms(latency.p99_ms)}"


def _ms(number: float) -> str:
    return f"{number:.2f} ms" if abs(number) < 10 else f"{number:,.0f} ms"


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def put(page: Path, name: str, table: str) -> None:
    """Writes the table between its marks; ValueError when the page lacks them."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    text = page.read_text()
    if not pattern.search(text):
        raise ValueError(f"{page} has no marks for the table {name}")
    page.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text))
