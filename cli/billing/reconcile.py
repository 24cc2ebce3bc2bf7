"""`scenemesh billing reconcile`."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.caller import Caller
from cli.client import Client
from cli.failures import ExitCode, Failure
from cli.issuer import Role
from cli.tables import draw
from cli.text import cell, to_json, word
from runtime.streams import reading
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub

# A little longer than the edge lets it take, so that the service's own end comes first.
RECONCILE_SECONDS = 1860.0

Hear = Callable[[billing_pb2.ReconcileEvent], None]


def reconcile(
    caller: Caller,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell every difference, and repair none.")] = False,
    of: Annotated[str | None, typer.Option(metavar="USER", help="Only this user's.")] = None,
) -> None:
    """Compare what is kept with Stripe and the ledger, and repair what is safe. For operators.

    Exits with 1 while a difference remains.
    """
    request = billing_pb2.ReconcileRequest(validate_only=dry_run, user=f"users/{of}" if of else "")
    drifts: list[billing_pb2.Drift] = []
    try:
        with _lines() if caller.as_json else _spinner(drifts) as hear:
            end = asyncio.run(_reconciled(caller.client(Role.OPERATOR), request, hear))
    except KeyboardInterrupt as stop:
        typer.echo("Stopped. What was repaired stays repaired.", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from stop
    finally:
        if drifts:
            draw(_each(drifts), _kinds(drifts))
    if end.HasField("failed"):
        raise _failure(caller, end.failed)
    if not caller.as_json:
        counts = end.finished
        typer.echo(f"{counts.compared:,} compared, {counts.drifts:,} differed, {counts.repaired:,} repaired.")
    if end.finished.drifts > end.finished.repaired:
        raise typer.Exit(ExitCode.FAILED)


async def _reconciled(client: Client, request: billing_pb2.ReconcileRequest, hear: Hear) -> billing_pb2.ReconcileEvent:
    """The last event."""
    last = billing_pb2.ReconcileEvent()
    async with client.channel() as channel:
        stub = BillingServiceStub(channel)
        async with reading(stub.Reconcile(request, timeout=RECONCILE_SECONDS, metadata=client.metadata)) as call:
            async for last in call:
                hear(last)
    if last.WhichOneof("event") not in ("finished", "failed"):
        raise Failure("The stream broke off.", hint="What was repaired stays repaired; run it again.")
    return last


def _failure(caller: Caller, failed: billing_pb2.ReconcileFailed) -> Exception:
    code = ExitCode.NOT_RUNNING if failed.reason.endswith("_UNAVAILABLE") else ExitCode.FAILED
    if caller.as_json:
        return typer.Exit(code)  # the last line says why
    return Failure(failed.message, code, reason=failed.reason, hint="What it told until then stands.")


@contextmanager
def _lines() -> Iterator[Hear]:
    """For programs: one event a line."""
    yield lambda event: typer.echo(json.dumps(to_json(event), ensure_ascii=False))


@contextmanager
def _spinner(drifts: list[billing_pb2.Drift]) -> Iterator[Hear]:
    """For people: how far it is, on a terminal; the differences are kept for a table."""
    console = Console(stderr=True)
    with console.status("Comparing") as status:

        def hear(event: billing_pb2.ReconcileEvent) -> None:
            if event.HasField("drift"):
                drifts.append(event.drift)
            if event.HasField("progress"):
                status.update(f"{event.progress.compared:,} compared, {len(drifts):,} differ")

        yield hear


def _each(drifts: Iterable[billing_pb2.Drift]) -> Table:
    drawn = Table("What differs", "Whose", "Id", "Here", "There", "Repaired")
    for one in drifts:
        texts = (_kind(one), one.user.removeprefix("users/"), one.id, one.ours, one.theirs)
        drawn.add_row(*map(cell, texts), "yes" if one.repaired else "no")
    return drawn


def _kinds(drifts: Iterable[billing_pb2.Drift]) -> Table:
    drawn = Table("Kind", "Found", "Repaired")
    found, repaired = Counter[str](), Counter[str]()
    for one in drifts:
        found[_kind(one)] += 1
        repaired[_kind(one)] += one.repaired
    for kind in sorted(found):
        drawn.add_row(kind, f"{found[kind]:,}", f"{repaired[kind]:,}")
    return drawn


def _kind(drift: billing_pb2.Drift) -> str:
    return word(drift, "kind", "DRIFT_KIND_").replace("_", " ")
