"""What a build and the process that started it say to each other, as JSON objects."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.search_svc.domain.comparing import Asked, Comparison
from services.search_svc.domain.entries import Kind
from services.search_svc.domain.version import Built, Counts, Failed, Outcome, Summary

Message = Mapping[str, Any]


def query(asked: Asked) -> Message:
    return {"query": asked.query, "kinds": sorted(asked.kinds)}


def asked(message: Message) -> Asked:
    return Asked(message["query"], frozenset(Kind(kind) for kind in message["kinds"]))


def told(outcome: Outcome) -> Message:
    name = "failed" if isinstance(outcome, Failed) else "built"
    return {name: asdict(outcome)}


def outcome(message: Message) -> Outcome | None:
    """What came of the build; None when the message is about something else."""
    if (failed := message.get("failed")) is not None:
        return Failed(**failed)
    if (built := message.get("built")) is None:
        return None
    summary, comparison = built["summary"], built["comparison"]
    return Built(
        Summary(**{**summary, "counts": Counts(**summary["counts"])}),
        Comparison.from_json(comparison) if comparison is not None else None,
    )
