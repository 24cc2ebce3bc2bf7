from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import MeshError, NotFound
from scenemesh.chat.v1 import character_pb2, character_pb2_grpc
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_edge import refuse

NOON = Timestamp(seconds=int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()))
NAME = "customCharacters/00000000-0000-4000-8000-000000000007"
MIRA = character_pb2.CustomCharacter(
    name=NAME, display_name="Mira", title="The Lighthouse", persona="A keeper.", create_time=NOON, update_time=NOON
)


@dataclass
class Cast(character_pb2_grpc.CharacterServiceServicer):
    """CharacterService as a test scripts it."""

    refusal: MeshError | None = None
    requests: list[Any] = field(default_factory=list)

    async def CreateCustomCharacter(self, request: Any, context: Any) -> character_pb2.CustomCharacter:
        return await self._heard(request, context)

    async def GetCustomCharacter(self, request: Any, context: Any) -> character_pb2.CustomCharacter:
        return await self._heard(request, context)

    async def UpdateCustomCharacter(self, request: Any, context: Any) -> character_pb2.CustomCharacter:
        return await self._heard(request, context)

    async def ListCustomCharacters(self, request: Any, context: Any) -> character_pb2.ListCustomCharactersResponse:
        listed = [await self._heard(request, context)]
        token = "" if request.page_token else "next"
        return character_pb2.ListCustomCharactersResponse(custom_characters=listed, next_page_token=token)

    async def DeleteCustomCharacter(self, request: Any, context: Any) -> empty_pb2.Empty:
        await self._heard(request, context)
        return empty_pb2.Empty()

    async def _heard(self, request: Any, context: Any) -> character_pb2.CustomCharacter:
        self.requests.append(request)
        if self.refusal is not None:
            await refuse(context, self.refusal)
        return MIRA


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
async def author(cast: Cast, state: Path) -> AsyncIterator[Command]:
    """The command, beside an edge that has CharacterService."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    character_pb2_grpc.add_CharacterServiceServicer_to_server(cast, server)
    url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield Command(state, {"SCENEMESH_URL": url, "COLUMNS": "160"})
    await server.stop(0)


async def test_a_character_is_made_up_and_its_name_stands_alone(author: Command, cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "mira.txt").write_text("A keeper.\nSays little.")
    ran = await author("characters", "create", "Mira", "--persona", f"@{tmp_path}/mira.txt", "--greeting", "Yes?")
    assert (ran.code, ran.out) == (0, f"{NAME}\n")
    (request,) = cast.requests
    assert request.request_id
    assert request.custom_character == character_pb2.CustomCharacter(
        display_name="Mira", persona="A keeper.\nSays little.", greeting="Yes?"
    )


async def test_characters_are_a_table_or_json_with_all_pages(author: Command) -> None:
    ran = await author("characters", "list")
    assert rows(ran.out) == [[NAME, "Mira", "The Lighthouse", "2026-11-22 12:00"]]
    assert ran.err == "There are more: --all shows them.\n"
    every = await author("characters", "list", "--all", "--json")
    assert [one["display_name"] for one in every.json["custom_characters"]] == ["Mira", "Mira"]


async def test_what_is_named_is_changed_and_nothing_else(author: Command, cast: Cast) -> None:
    short = NAME.partition("/")[2]
    ran = await author("characters", "change", short, "--name", "Mira B.", "--greeting", "")
    assert (ran.code, "Mira" in ran.out) == (0, True)
    assert cast.requests == [
        character_pb2.UpdateCustomCharacterRequest(
            custom_character=character_pb2.CustomCharacter(name=NAME, display_name="Mira B."),
            update_mask=FieldMask(paths=["display_name", "greeting"]),
        )
    ]


async def test_a_character_is_shown_and_deleted(author: Command, cast: Cast) -> None:
    assert "A keeper." in (await author("characters", "show", NAME)).out
    assert (await author("characters", "delete", NAME)).out == "Deleted.\n"
    assert cast.requests[-1] == character_pb2.DeleteCustomCharacterRequest(name=NAME)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("change", NAME), "Say what to change: see --help."),
        (("create", "Mira", "--persona", "@/nowhere"), "/nowhere cannot be read: No such file or directory."),
    ],
)
async def test_what_makes_no_sense_is_not_asked_for(author: Command, cast: Cast, words: Any, told: str) -> None:
    ran = await author("characters", *words)
    assert (ran.code, ran.err, cast.requests) == (2, f"scenemesh: {told}\n", [])


async def test_an_unknown_character_is_a_failure(author: Command, cast: Cast) -> None:
    cast.refusal = NotFound("There is no such character among yours.", reason="CHARACTER_NOT_FOUND")
    ran = await author("characters", "show", NAME)
    assert (ran.code, ran.err.splitlines()[0]) == (1, "scenemesh: There is no such character among yours.")
