"""A quota on a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from cli.decision import left, refusal, resets
from cli.tables import named
from cli.text import cell
from scenemesh.quota.v1 import quota_pb2

SOFT_LIMIT = "!"


def report(answer: quota_pb2.Quota) -> Sequence[Table | Text]:
    """The meters, and below them why what is refused is refused."""
    return table(answer), *(cell(line) for meter in answer.meters for line in refusal(meter))


def table(answer: quota_pb2.Quota) -> Table:
    owner = answer.name.removeprefix("users/").removesuffix("/quota")
    title = cell(f"{owner}: {answer.plan.removeprefix('plans/')}, {answer.time_zone}")
    warned = any(meter.soft_limit_reached for meter in answer.meters)
    caption = f"{SOFT_LIMIT} most of it is used" if warned else None
    columns = (named("Meter"), "Left", "Used", "Held", "Limit", "Granted", "Starts anew")
    drawn = Table(*columns, title=title, caption=caption)
    for meter in answer.meters:
        remaining = f"{left(meter)} {SOFT_LIMIT}" if meter.soft_limit_reached else left(meter)
        limit = "none" if meter.unlimited else str(meter.limit)
        figures = (remaining, str(meter.used), str(meter.held), limit, str(meter.granted), resets(meter))
        drawn.add_row(cell(meter.meter), *figures)
    return drawn
