"""Finding what was said."""

import threading
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.snippet import Snippet, snippet
from services.chat_svc.store import history
from tests.service.chat_svc.replica import Person, Replica
from tests.service.chat_svc.trees import NO_CONVERSATION, NOWHERE, Desk, desk, refusal

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


async def searched(whose: Desk, query: str, **wanted: Any) -> chat_pb2.SearchMessagesResponse:
    found: chat_pb2.SearchMessagesResponse = await whose.ask(
        "SearchMessages", chat_pb2.SearchMessagesRequest(query=query, **wanted)
    )
    return found


async def texts(whose: Desk, query: str, **wanted: Any) -> list[str]:
    return [one.message.text for one in (await searched(whose, query, **wanted)).matches]


HOUND, MOOR, CAB, SUMMER = "Release the HOUND at once", "On the moor, a hound!", "A cab, quick", "C'était l'été"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("hound", {HOUND, MOOR}),
        ("hound moor", {MOOR}),
        ("hou", {HOUND, MOOR}),
        ("a hou", {MOOR}),
        ("hou a", set()),
        ('"the hound"', {HOUND}),
        ('"hou"', set()),
        ("hound -once", {MOOR}),
        ("hound -onc", {HOUND, MOOR}),
        ("once OR cab", {HOUND, CAB}),
        ("-once -hound", {CAB, SUMMER}),
        ("l'été", {SUMMER}),
        ("ÉTÉ", {SUMMER}),
        ("?!", set()),
    ],
)
async def test_words_phrases_and_beginnings_are_found(hers: Desk, query: str, found: set[str]) -> None:
    name = await hers.person.conversation()
    for text in (HOUND, MOOR, CAB, SUMMER):
        await hers.say(name, text=text)
    assert set(await texts(hers, query)) == found


async def test_the_best_match_comes_first_and_then_the_newest(hers: Desk) -> None:
    name = await hers.person.conversation()
    for text in ("hound of the moor", "a hound far away from any moor", "hound of a moor", "nothing"):
        await hers.say(name, text=text)
    assert await texts(hers, "hound moor") == [
        "hound of a moor",
        "hound of the moor",
        "a hound far away from any moor",
    ]


async def test_a_match_shows_where_its_words_stand(hers: Desk) -> None:
    name = await hers.person.conversation()
    first = await hers.say(name, text="It was a dark night. " * 20 + "Then the Hound howled. " + "And so on. " * 20)
    await hers.say(name, first, "Who?", "character")
    (match,) = (await searched(hers, "hound how")).matches
    assert (match.message, match.conversation_display_name) == (await hers.get(first), "Sherlock Holmes")
    assert match.snippet in match.message.text
    assert [match.snippet[one.start : one.end] for one in match.highlights] == ["Hound", "howled"]


async def test_snippets_are_made_where_nobody_waits_for_them(hers: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = list[threading.Thread]()

    def watched(text: str, query: str) -> Snippet:
        threads.append(threading.current_thread())
        return snippet(text, query)

    monkeypatch.setattr(history, "snippet", watched)
    await hers.say(await hers.person.conversation(), text=HOUND)
    assert await texts(hers, "hound") == [HOUND]
    assert len(threads) == 1
    assert threading.current_thread() not in threads


async def test_what_was_edited_and_deleted_is_found_as_it_is(hers: Desk) -> None:
    name = await hers.person.conversation()
    first, second = await hers.line(name, "A hound", "A hound indeed")
    await hers.update(first, text="A cat")
    assert await texts(hers, "hound") == ["A hound indeed"]
    await hers.delete(second)
    assert (await texts(hers, "hound"), await texts(hers, "cat")) == ([], ["A cat"])


async def test_everybody_finds_only_their_own(hers: Desk, first: Replica, database: str) -> None:
    one, other = [await hers.person.conversation() for _ in range(2)]
    await hers.say(one, text="A hound here")
    await hers.say(other, text="A hound there")
    assert await texts(hers, "hound") == ["A hound there", "A hound here"]
    assert await texts(hers, "hound", parent=one) == ["A hound here"]
    async with desk(first.person("bob"), "bob", database) as his:
        assert await texts(his, "hound") == []
        assert await refusal(texts(his, "hound", parent=one)) == NO_CONVERSATION
        assert await refusal(texts(his, "hound", parent=NOWHERE)) == NO_CONVERSATION


async def test_matches_come_page_by_page(hers: Desk) -> None:
    name = await hers.person.conversation()
    for place in range(5):
        await hers.say(name, text=f"Hound number {place}")
    found, token, pages = [], "", 0
    while token or not pages:
        page = await searched(hers, "hound", page_size=2, page_token=token)
        found += [one.message.text for one in page.matches]
        token, pages = page.next_page_token, pages + 1
    assert (found, pages) == ([f"Hound number {place}" for place in (4, 3, 2, 1, 0)], 3)


async def test_a_page_token_is_of_one_search(hers: Desk, first: Replica, database: str) -> None:
    name = await hers.person.conversation()
    for _ in range(3):
        await hers.say(name, text="hound")
    token = (await searched(hers, "hound", page_size=1)).next_page_token
    for query, wanted in (("hounds", {}), ("hound", {"parent": name})):
        assert (await refusal(searched(hers, query, page_token=token, **wanted)))[0] == INVALID
    async with desk(first.person("bob"), "bob", database) as his:
        assert (await refusal(searched(his, "hound", page_token=token)))[0] == INVALID


@pytest.mark.parametrize(
    "query", ["'", "\\", "a'b", "a\\b:*", ":*", "& | !", "<->", '"', "-", "or", "((", "a:b", "x" * 200]
)
async def test_no_query_breaks_the_search(hers: Desk, query: str) -> None:
    await hers.say(await hers.person.conversation(), text=f"before {query} after")
    await searched(hers, query)
    await hers.ask("ListConversations", chat_pb2.ListConversationsRequest(query=query))


async def test_a_query_has_words_and_not_too_many(hers: Desk) -> None:
    for query in ("", "x" * 201):
        assert (await refusal(searched(hers, query)))[0] == INVALID
