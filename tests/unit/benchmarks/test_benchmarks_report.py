from dataclasses import dataclass

import pytest

from benchmarks.chat_contender import LATENCIES, Contender
from benchmarks.chat_measure import Latency
from benchmarks.report import BELOW_ZERO, chat


@dataclass
class Named:
    name: str
    address: str = ""


def contender(name: str, milliseconds: float, pieces_per_second: float = 100) -> Contender:
    """One whose every latency is the same."""
    latency = Latency(milliseconds, milliseconds, milliseconds)
    return Contender(
        Named(name),  # type: ignore[arg-type]
        {streams: [latency] for streams in LATENCIES},
        rates=[pieces_per_second],
    )


@pytest.mark.parametrize(
    ("milliseconds", "cell"), [(45.65, "-154 ms"), (190.5, "-9.50 ms"), (200.5, "0.50 ms"), (354.4, "154 ms")]
)
def test_what_a_path_adds_is_told_as_exactly_above_zero_as_below(milliseconds: float, cell: str) -> None:
    table = chat([contender("direct", 200), contender("LiteLLM", 300), contender("SceneMesh", milliseconds)], 10)
    row = next(line for line in table.splitlines() if line.startswith("| SceneMesh | 16 |"))
    assert row.endswith(f" | {cell} | {cell} | {cell} |")
    assert (f"\n\n{BELOW_ZERO}\n\n" in table) == cell.startswith("-")
