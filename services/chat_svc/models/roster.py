"""The models that may be asked just now, each with its provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from services.chat_svc.domain.model import Model
from services.chat_svc.providers import WIRES, Provider

Opening = Callable[[Model, str], Provider]


def open_provider(model: Model, key: str) -> Provider:
    return WIRES[model.wire](model, key)


@dataclass
class Seat:
    """One model's place on the list; `users` ask it just now."""

    model: Model
    key: str
    provider: Provider
    users: int = 0


class Roster:
    """`async with` closes what is open at its end; `opening` gives a provider for a model and its key."""

    def __init__(self, reached: Iterable[tuple[Model, str]], opening: Opening = open_provider) -> None:
        self._opening = opening
        self._seats: dict[str, Seat] = {}
        self._leaving: list[Seat] = []
        self.take(reached)

    async def __aenter__(self) -> Roster:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for seat in [*self._seats.values(), *self._leaving]:
            await seat.provider.close()

    @property
    def models(self) -> tuple[Model, ...]:
        return tuple(seat.model for seat in self._seats.values())

    def model(self, name: str) -> Model:
        """KeyError where there is no such model."""
        return self._seats[name].model

    def provider(self, name: str) -> Provider:
        """KeyError where there is no such model."""
        return self._seats[name].provider

    @contextmanager
    def used(self, name: str) -> Iterator[None]:
        """While the block runs, the model's present provider stays open, whatever becomes of the list."""
        seat = self._seats[name]
        seat.users += 1
        try:
            yield
        finally:
            seat.users -= 1

    def take(self, reached: Iterable[tuple[Model, str]]) -> None:
        """From now on these are the models. One that is as it was keeps its provider and its connections."""
        seats = {model.id: self._seat(model, key) for model, key in reached}
        self._leaving += [seat for name, seat in self._seats.items() if seats.get(name) is not seat]
        self._seats = seats

    async def close_left(self) -> None:
        """Closes providers that are on the list no longer and that nobody uses."""
        over = [seat for seat in self._leaving if not seat.users]
        self._leaving = [seat for seat in self._leaving if seat.users]
        for seat in over:
            await seat.provider.close()

    def _seat(self, model: Model, key: str) -> Seat:
        seat = self._seats.get(model.id)
        if seat is not None and (seat.model, seat.key) == (model, key):
            return seat
        return Seat(model, key, self._opening(model, key))
