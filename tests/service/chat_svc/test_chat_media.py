import asyncio
import io
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest
from PIL import Image

from runtime.status import error_info
from services.chat_svc.domain.media import MEDIA_BYTES_MAX, MEDIA_MAX
from services.chat_svc.store.media import KeptMedia
from tests.service.chat_svc.pictures import MAKER, Owner, animation, claimed, owner, photograph, picture, recording
from tests.service.chat_svc.replica import Replica

UUID_1 = "00000000-0000-4000-8000-000000000001"
LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture
def alices(first: Replica) -> Owner:
    return owner(first)


async def refused(keeping: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await keeping
    return refusal.value.code(), error_info(refusal.value).reason


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_photograph_is_kept_upright_and_without_what_it_tells_of_its_maker(alices: Owner, kind: str) -> None:
    kept = await alices.keep(photograph(kind))
    got = await alices.get(kept.name)
    shown = Image.open(io.BytesIO(got.data))
    assert (kept.content_type, kept.width, kept.height, kept.size_bytes) == (
        f"image/{kind.lower()}",
        20,
        40,
        len(got.data),
    )
    assert (got.content_type, shown.size, dict(shown.getexif())) == (kept.content_type, (20, 40), {})
    assert MAKER.encode() not in got.data


async def test_of_an_animation_the_first_picture_is_kept(alices: Owner) -> None:
    kept = await alices.keep(animation())
    got = await alices.get(kept.name)
    shown = Image.open(io.BytesIO(got.data))
    assert (kept.content_type, shown.size, getattr(shown, "n_frames", 0)) == ("image/gif", (40, 20), 1)
    assert MAKER.encode() not in got.data


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")),
        *(("JPEG", mode) for mode in ("L", "CMYK")),
        *(("WEBP", mode) for mode in ("RGBA", "RGB")),
        *(("GIF", mode) for mode in ("L", "P")),
    ],
)
async def test_images_of_every_kind_are_kept(alices: Owner, kind: str, mode: str) -> None:
    written = io.BytesIO()
    Image.new(mode, (40, 20)).save(written, kind, **({"progressive": True} if kind == "JPEG" else {}))
    kept = await alices.keep(written.getvalue())
    assert (kept.content_type, kept.width, kept.height) == (f"image/{kind.lower()}", 40, 20)


async def test_what_is_see_through_stays_so(alices: Owner) -> None:
    written = io.BytesIO()
    Image.new("P", (40, 20), 3).save(written, "GIF", transparency=3)
    got = await alices.get((await alices.keep(written.getvalue())).name)
    assert Image.open(io.BytesIO(got.data)).convert("RGBA").getchannel("A").getextrema() == (0, 0)


async def test_a_recording_is_kept_as_it_is(alices: Owner) -> None:
    kept = await alices.keep(recording())
    got = await alices.get(kept.name)
    assert (kept.content_type, kept.width, kept.height) == ("audio/wav", 0, 0)
    assert (got.content_type, got.data) == ("audio/wav", recording())


@pytest.mark.parametrize(
    "content",
    [
        b"<html>hello</html>",
        b"%PDF-1.7 ...",
        b"\x89PNG\r\n\x1a\n and no more",
        b"GIF89a",
        picture("JPEG", (300, 300))[:-300],
        picture("PNG", (300, 300))[:-50],
        picture("WEBP", (300, 300))[:-40],
        claimed(8_001, 10),
        claimed(5_001, 5_000),
        claimed(60_000, 60_000),
        claimed(2_000, 2_000),
        b"\xff\xd8\xff" + b"\xff\xda" * 200,
    ],
    ids=lambda content: f"{bytes(content[:4])!r}{len(content)}",
)
async def test_what_is_no_whole_image_of_an_allowed_size_is_refused(alices: Owner, content: bytes) -> None:
    assert await refused(alices.keep(content)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


async def test_more_bytes_than_allowed_are_refused(alices: Owner) -> None:
    assert await refused(alices.keep(b"x" * 2_621_441)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


async def test_the_largest_recording_allowed_is_taken(alices: Owner) -> None:
    content = recording().ljust(2_621_440, b"\0")
    kept = await alices.keep(content)
    assert (kept.size_bytes, (await alices.get(kept.name)).data == content) == (2_621_440, True)


async def test_a_retry_keeps_nothing_twice_even_if_both_come_at_once(alices: Owner) -> None:
    kept = await asyncio.gather(*(alices.keep(picture(), UUID_1) for _ in range(4)))
    assert {one.name for one in kept} == {(await alices.keep(picture(), UUID_1)).name}


async def test_a_request_id_with_other_bytes_is_refused(alices: Owner) -> None:
    await alices.keep(picture(), UUID_1)
    assert await refused(alices.keep(recording(), UUID_1)) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_anothers_media_do_not_exist(first: Replica, alices: Owner) -> None:
    kept, bobs = await alices.keep(picture(), UUID_1), owner(first, "bob")
    assert await refused(bobs.get(kept.name)) == (grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND")
    assert (await bobs.keep(recording(), UUID_1)).name != kept.name


async def filled(database: str, count: int, size: int) -> None:
    """Alice has so many media of so many bytes."""
    connection = await asyncpg.connect(database)
    await connection.execute(
        """
        INSERT INTO chat.media (user_id, id, content_type, content, source_sha256, created_at, kept_until)
        SELECT 'alice', gen_random_uuid(), 'audio/wav', convert_to(repeat('x', $2), 'UTF8'), '', now(), now()
        FROM generate_series(1, $1)
        """,
        count,
        size,
    )
    await connection.close()


@pytest.mark.parametrize(("count", "size"), [(MEDIA_MAX, 1), (80, MEDIA_BYTES_MAX // 80)])
async def test_who_keeps_too_much_is_told_so(alices: Owner, database: str, count: int, size: int) -> None:
    await filled(database, count, size)
    assert await refused(alices.keep(picture())) == (grpc.StatusCode.FAILED_PRECONDITION, "TOO_MUCH_MEDIA")


async def test_what_no_message_shows_is_deleted_after_a_day_and_what_one_shows_stays(
    first: Replica, alices: Owner, database: str
) -> None:
    unused, shown = await alices.keep(picture()), await alices.keep(picture())
    person = first.person()
    origin, fork = await person.conversation(), await person.conversation()
    pool = await asyncpg.create_pool(database, min_size=1, server_settings={"search_path": "chat"})
    connection, store = await asyncpg.connect(database), KeptMedia(pool)
    media = UUID(shown.name.split("/")[1])
    await connection.execute("UPDATE chat.media SET conversation_id = $1 WHERE id = $2", UUID(origin[14:]), media)
    await store.sweep(datetime.now(UTC))
    names = {unused.name, shown.name}
    assert {(await alices.get(name)).content_type for name in names} == {"image/png"}
    await store.sweep(LATER)
    assert await refused(alices.get(unused.name)) == (grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND")
    await connection.execute(
        """
        INSERT INTO chat.messages (user_id, conversation_id, id, position, role, text, state, created_at, media)
        VALUES ('alice', $1, $2, 1, 'user', 'Look!', 'complete', now(), ARRAY[$3::uuid])
        """,
        UUID(fork[14:]),
        uuid4(),
        media,
    )
    await connection.execute("DELETE FROM chat.conversations WHERE id = $1", UUID(origin[14:]))
    await store.sweep(LATER)
    assert (await alices.get(shown.name)).content_type == "image/png"
    await connection.execute("DELETE FROM chat.conversations WHERE id = $1", UUID(fork[14:]))
    await store.sweep(LATER)
    assert await refused(alices.get(shown.name)) == (grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND")
    await connection.close()
    await pool.close()
