"""What belongs to another is answered, byte for byte, as what there never was."""

from uuid import uuid4

import pytest

from tests.e2e.clients import Json, Rest
from tests.e2e.stack import Stack

FORGET = ("DELETE", "customCharacters/{character}", None)
# With what stands for an id that is another's, and for one that nobody has.
CALLS: tuple[tuple[str, str, Json | None], ...] = (
    ("GET", "conversations/{conversation}", None),
    ("PATCH", "conversations/{conversation}", {"display_name": "Mine"}),
    ("DELETE", "conversations/{conversation}", None),
    ("GET", "conversations/{conversation}/messages", None),
    ("POST", "conversations/{conversation}/messages:send", {"text": "Hello?"}),
    ("POST", "conversations/{conversation}:estimateTurn", {"text": "Hello?"}),
    ("GET", "conversations/{conversation}/messages/{message}", None),
    ("GET", "conversations/{conversation}/messages/{message}:watch", None),
    ("POST", "conversations/{conversation}/messages/{message}:stop", {}),
    ("DELETE", "conversations/{conversation}/messages/{message}", None),
    ("GET", "customCharacters/{character}", None),
    ("PATCH", "customCharacters/{character}", {"display_name": "Mine"}),
    FORGET,
)
# What is still there, whatever others ask for.
STAYING = ("conversations/{conversation}", "customCharacters/{character}")
USERS: tuple[tuple[str, str, Json | None], ...] = (
    ("GET", "users/{user}/quota", None),
    ("GET", "users/{user}/entries", None),
    ("GET", "users/{user}/subscription", None),
    ("GET", "users/{user}/invoices", None),
)


async def _told(rest: Rest, call: tuple[str, str, Json | None], names: dict[str, str]) -> tuple[int, str]:
    """The status and the body, where names and the id of the request stand for themselves."""
    verb, path, body = call
    answer = await rest.call(verb, f"/v1/{path.format(**names)}", body)
    told = str(answer.body).replace(answer.headers.get("x-request-id", "none"), "REQUEST")
    for kind, name in names.items():
        told = told.replace(name, kind)
    return answer.status, told


async def _character(rest: Rest) -> str:
    path, wanted = f"/v1/customCharacters?request_id={uuid4()}", {"display_name": "Mira", "persona": "A librarian."}
    made = await rest.call("POST", path, wanted)
    assert made.status == 200, made.body
    return str(made.body["name"]).rpartition("/")[2]


@pytest.mark.parametrize("call", CALLS, ids=[f"{verb} {path}" for verb, path, _ in CALLS])
async def test_what_is_anothers_is_as_what_there_never_was(stack: Stack, call: tuple[str, str, Json | None]) -> None:
    owner, other = (Rest(stack.url, stack.token(user=user)) for user in (f"owner-{uuid4()}", f"other-{uuid4()}"))
    name = await owner.conversation()
    events = await owner.turn(name)
    ids = [part for number, part in enumerate(str(events[0]["message"]).split("/")) if number % 2]
    foreign = {"conversation": ids[0], "message": ids[1], "character": await _character(owner)}
    unknown = {kind: str(uuid4()) for kind in foreign}
    status, told = await _told(other, call, foreign)
    assert (status, told) == await _told(other, call, unknown)
    # To forget what is not there changes nothing and succeeds.
    assert status == (200 if call == FORGET else 404)
    seen = [await owner.call("GET", f"/v1/{path.format(**foreign)}") for path in STAYING]
    assert [one.status for one in seen] == [200] * len(STAYING)


@pytest.mark.parametrize("call", USERS, ids=[path for _, path, _ in USERS])
async def test_who_there_is_is_as_who_there_never_was(stack: Stack, call: tuple[str, str, Json | None]) -> None:
    known = f"owner-{uuid4()}"
    await Rest(stack.url, stack.token(user=known)).call("GET", "/v1/users/me/quota")
    other = Rest(stack.url, stack.token(user=f"other-{uuid4()}"))
    status, told = await _told(other, call, {"user": known})
    assert (status, told) == await _told(other, call, {"user": f"nobody-{uuid4()}"})
    assert status == 404
