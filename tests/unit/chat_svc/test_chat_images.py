from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.chat_svc.domain.conversation import Message, Role, State
from services.chat_svc.domain.media import content_type
from services.chat_svc.domain.prompt import prompt
from services.chat_svc.domain.scene import IMAGE_TOKENS_MAX, Image, Persona, Scene, Turn
from services.chat_svc.domain.wording import PICTURE
from services.chat_svc.siblings import split

HOLMES = Persona("Sherlock Holmes", "Sherlock", "A consulting detective.", "characters/sherlock-holmes")
RED = Image("image/png", b"red", 30_000)
BLUE = Image("image/png", b"blue", 25_000_000)
MEDIA = UUID(int=7)
LOOK = Message(
    "alice", UUID(int=1), UUID(int=2), 1, Role.USER, "Look!", State.COMPLETE, datetime(2026, 1, 1, tzinfo=UTC)
)
MP3 = b"\xff\xfb\x90\x00"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"OggS\0", "audio/ogg"),
        (b"fLaC\0", "audio/flac"),
        (b"ID3\x04", "audio/mpeg"),
        (MP3, "audio/mpeg"),
        (b"\xff\xf3\x44\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", None),
        (b"\xff\xff\xff\xff", None),
        (b"\0\0\0\x20ftypM4A \0\0", "audio/mp4"),
        (b"\0\0\0\x20ftypheic\0\0", None),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "audio/webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", None),
        (b"<svg xmlns", None),
        (b"MZ", None),
        (b"", None),
    ],
)
def test_bytes_are_what_their_beginning_says(content: bytes, kind: str | None) -> None:
    assert content_type(content) == kind


def test_an_image_takes_tokens_by_its_pixels_up_to_what_models_make_of_it() -> None:
    assert (RED.tokens, BLUE.tokens) == (40, IMAGE_TOKENS_MAX)
    assert Turn(Role.USER, "Hi!", (RED, RED)).tokens == Turn(Role.USER, "Hi!").tokens + 80


def scene(**more: Any) -> Scene:
    return Scene(HOLMES, (HOLMES,), [replace(LOOK, media=(MEDIA,))], None, **more)


def test_an_earlier_image_goes_with_its_message_where_it_is_shown_again() -> None:
    assert [turn.images for turn in prompt(scene(shown={MEDIA: RED}), 4_000).turns] == [(RED,)]
    assert [turn.images for turn in prompt(scene(), 4_000).turns] == [()]
    assert PICTURE in prompt(scene(), 4_000).turns[0].text


@pytest.mark.parametrize(
    ("units", "price", "expected"),
    [
        ({"chat": 1, "image_recognition": 2}, 0, (("chat", 1), ("image_recognition", 2))),
        ({"image_recognition": 2, "credits": 3}, 3, (("credits", 3), ("image_recognition", 2))),
        ({"chat": 1, "credits": 4}, 0, (("chat", 1), ("credits", 4))),
        ({"credits": 7}, 3, (("credits", 3), ("credits", 4))),
        # What was told of credits before is not true of this hold.
        ({"credits": 7}, 0, (("credits", 0), ("credits", 7))),
        ({"credits": 7}, 7, (("credits", 0), ("credits", 0))),
    ],
)
def test_a_hold_is_split_into_what_the_turn_and_what_its_images_cost(
    units: dict[str, int], price: int, expected: tuple[tuple[str, int], tuple[str, int]]
) -> None:
    assert split(units, "chat", price) == expected


def test_an_answer_costs_its_images_only_where_it_costs_anything() -> None:
    answer = replace(LOOK, charged=3, meter="credits", price=3, images=4, images_meter="credits")
    assert (answer.costs(), answer.units(2)) == ({"credits": 7}, 10)
    assert (replace(answer, images_meter="image_recognition").costs(), replace(answer, charged=0).costs()) == (
        {"credits": 3, "image_recognition": 4},
        {"credits": 0},
    )
