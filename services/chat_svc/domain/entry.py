"""The entries of an answer's live log: who speaks, what is said, and where another model took over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from services.chat_svc.domain.fault import Fault
from services.chat_svc.domain.routing import Decision, decision_from_json, decision_to_json


class SeamMode(Enum):
    """How another model goes on: where the text broke off, or anew."""

    CONTINUED = "continued"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Began:
    """A model begins to answer; `decision` where the caller wants to know why that one."""

    model: str
    decision: Decision | None = None


@dataclass(frozen=True)
class Said:
    """The next piece of text; never empty."""

    text: str


@dataclass(frozen=True)
class Seam:
    """Another model goes on; the first `kept` characters of the text stay."""

    from_model: str
    to_model: str
    fault: Fault
    mode: SeamMode
    kept: int


Entry = Began | Said | Seam


def text_of(entries: Iterable[Entry]) -> str:
    """What has been said when the entries are over."""
    pieces: list[str] = []
    for entry in entries:
        match entry:
            case Said(piece):
                pieces.append(piece)
            case Seam(kept=kept):
                pieces = ["".join(pieces)[:kept]]
            case Began():
                pass
    return "".join(pieces)


def model_of(entries: Iterable[Entry]) -> str:
    """The model that spoke last; empty where none did."""
    model = ""
    for entry in entries:
        match entry:
            case Began(name):
                model = name
            case Seam(to_model=name):
                model = name
            case Said():
                pass
    return model


def to_json(entry: Entry) -> dict[str, Any]:
    """An entry as it is kept and sent to other processes."""
    match entry:
        case Said(text):
            return {"said": text}
        case Began(model, decision):
            return {"began": model, **({"decision": decision_to_json(decision)} if decision else {})}
        case Seam(before, after, fault, mode, kept):
            return {"seam": [before, after, fault.value, mode.value, kept]}


def from_json(kept: dict[str, Any]) -> Entry:
    """The entry that `to_json` made it of."""
    if "said" in kept:
        return Said(kept["said"])
    if "seam" in kept:
        before, after, fault, mode, characters = kept["seam"]
        return Seam(before, after, Fault(fault), SeamMode(mode), characters)
    decision = kept.get("decision")
    return Began(kept["began"], decision_from_json(decision) if decision is not None else None)
