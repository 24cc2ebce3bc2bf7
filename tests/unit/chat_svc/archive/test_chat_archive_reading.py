import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import InvalidArgument
from services.chat_svc.archive import libre_chat, open_web_ui, ours, silly_tavern
from services.chat_svc.archive.casting import Cast
from services.chat_svc.archive.retelling import conversation, messages
from services.chat_svc.archive.story import Line, Story, Untold, moment, ordered
from services.chat_svc.archive.writing import FORMAT, VERSION

JUNE = datetime(2024, 6, 19, 14, 20, tzinfo=UTC)
READERS = (silly_tavern.read, libre_chat.read, open_web_ui.read, ours.read)


def story(told: list[Story | Untold]) -> Story:
    (one,) = told
    assert isinstance(one, Story), one.why
    return one


def lines(*rows: Any) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_silly_taverns_swipes_become_siblings_and_the_one_that_stands_is_gone_on_from() -> None:
    told = story(
        silly_tavern.read(
            lines(
                {"user_name": "You", "character_name": "Mira", "create_date": "2024-6-19@14h20m00s"},
                {"name": "Mira", "is_user": False, "mes": "Mind the stairs.", "send_date": "June 19, 2024 2:20pm"},
                {"name": "You", "is_user": True, "mes": "Which?"},
                {"name": "System", "is_system": True, "mes": "Hidden."},
                {
                    "name": "Mira",
                    "is_user": False,
                    "mes": "Those!",
                    "swipes": ["All.", "Those.", "None."],
                    "swipe_id": 1,
                },
            )
        )
    )
    assert told == Story(
        "Mira",
        (
            Line("0.0", None, False, "Mind the stairs.", JUNE),
            Line("1.0", "0.0", True, "Which?", None),
            Line("2.0", "1.0", False, "All.", None),
            Line("2.1", "1.0", False, "Those!", None),
            Line("2.2", "1.0", False, "None.", None),
        ),
        "2.1",
        JUNE,
    )


@pytest.mark.parametrize("kind", ["tree", "list of trees", "list"])
def test_libre_chats_tree_and_its_list_tell_the_same(kind: str) -> None:
    root: dict[str, Any] = {
        "messageId": "a",
        "parentMessageId": libre_chat.ROOT,
        "isCreatedByUser": True,
        "text": "Who?",
        "createdAt": "2024-06-19T14:20:00.000Z",
    }
    answers: list[dict[str, Any]] = [
        {"messageId": "b", "parentMessageId": "a", "isCreatedByUser": False, "text": "Me."},
        {"messageId": "c", "parentMessageId": "a", "content": [{"type": "text", "text": {"value": "Nobody."}}]},
    ]
    tree = [{**root, "children": answers}]
    kinds: dict[str, dict[str, Any]] = {
        "tree": {"messagesTree": tree},
        "list of trees": {"recursive": True, "messages": tree},
        "list": {"messages": [*answers, root]},
    }
    messages = kinds[kind]
    told = story(libre_chat.read(json.dumps({"conversationId": "x", "title": "A talk", **messages}).encode()))
    assert told == Story(
        "A talk",
        (
            Line("a", None, True, "Who?", JUNE),
            Line("b", "a", False, "Me.", None),
            Line("c", "a", False, "Nobody.", None),
        ),
        "c",
        None,
    )


def test_open_web_uis_history_keeps_its_branches_and_its_choice() -> None:
    messages = {
        "s": {"id": "s", "parentId": None, "role": "system", "content": "Obey."},
        "a": {"id": "a", "parentId": "s", "role": "user", "content": "Who?", "timestamp": JUNE.timestamp()},
        "b": {"id": "b", "parentId": "a", "role": "assistant", "content": "Me."},
        "c": {"id": "c", "parentId": "a", "role": "assistant", "content": [{"type": "text", "text": "Nobody."}]},
    }
    chat = {"title": "A talk", "history": {"messages": messages, "currentId": "b"}}
    told = story(
        open_web_ui.read(json.dumps([{"title": "A talk", "chat": chat, "archived": True, "updated_at": 9}]).encode())
    )
    assert told == Story(
        "A talk",
        (
            Line("a", None, True, "Who?", JUNE),
            Line("b", "a", False, "Me.", None),
            Line("c", "a", False, "Nobody.", None),
        ),
        "b",
        None,
        archived=True,
        updated_at=datetime(1970, 1, 1, 0, 0, 9, tzinfo=UTC),
    )


def test_a_conversation_that_cannot_be_taken_is_named_and_the_others_are_taken() -> None:
    good = {"title": "Good", "chat": {"history": {"messages": {}, "currentId": None}}}
    circle = {
        "a": {"parentId": "b", "role": "user", "content": ""},
        "b": {"parentId": "a", "role": "user", "content": ""},
    }
    bad = [
        {"title": "No history", "chat": {"x": 1}},
        {"title": "A circle", "chat": {"history": {"messages": circle}}},
        {"title": "Numbers", "chat": {"history": {"messages": {"a": {"role": "user", "content": 7}}}}},
        7,
    ]
    told = open_web_ui.read(json.dumps([*bad, good]).encode())
    assert [(one.title, one.why) if isinstance(one, Untold) else one.title for one in told] == [
        ("No history", "It holds no history."),
        ("A circle", "Some of its messages were said after one that is not there."),
        ("Numbers", "It has another shape than this format."),
        ("", "It has another shape than this format."),
        "Good",
    ]


CIRCLE = "Some of its messages were said after one another in a circle."


@pytest.mark.parametrize("size", [1, 2, 5_000])
def test_what_the_system_said_in_a_circle_is_not_followed_for_ever(size: int) -> None:
    circle = {f"s{n}": {"role": "system", "parentId": f"s{(n + 1) % size}"} for n in range(size)}
    asked = {"u": {"role": "user", "parentId": "s0", "content": "Who?"}}
    told = open_web_ui.read(json.dumps([chat("Bad", {**circle, **asked}), chat("Good", {})]).encode())
    assert [one.why if isinstance(one, Untold) else one.title for one in told] == [CIRCLE, "Good"]


def test_what_the_system_said_in_a_row_is_passed_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0

    def counted(one: Any) -> bool:
        nonlocal steps
        steps += 1
        return bool(one["role"] != "system")

    monkeypatch.setattr(open_web_ui, "_is_said", counted)
    many = 200
    row = {f"s{n}": {"role": "system", "parentId": f"s{n + 1}"} for n in range(many)}
    first = {f"s{many}": {"role": "user", "content": "Who?"}}
    asked = {f"u{n}": {"role": "user", "parentId": f"s{n}", "content": ""} for n in range(many)}
    told = story(open_web_ui.read(json.dumps([chat("", {**row, **first, **asked})]).encode()))
    assert {one.parent for one in told.lines[1:]} == {f"s{many}"}
    # Each message is looked at for itself, and once more from below.
    assert steps <= 3 * (2 * many + 1)


def chat(title: str, messages: dict[str, Any]) -> dict[str, Any]:
    """A chat of Open WebUI's."""
    return {"title": title, "chat": {"history": {"messages": messages}}}


@pytest.mark.parametrize("size", [1, 2, 5_000])
@pytest.mark.parametrize("kind", ["open_web_ui", "libre_chat", "ours"])
def test_what_was_said_in_a_circle_is_not_taken(kind: str, size: int) -> None:
    told = _linked(kind, [(f"a{n}", f"a{(n + 1) % size}") for n in range(size)])
    assert [one.why if isinstance(one, Untold) else one.title for one in told] == [
        "Some of its messages were said after one that is not there."
    ]


@pytest.mark.parametrize("kind", ["open_web_ui", "libre_chat", "ours"])
def test_a_conversation_may_be_as_deep_as_it_is_long(kind: str) -> None:
    """From its end to its beginning."""
    depth = 10_000
    links = [(f"a{n}", f"a{n + 1}" if n + 1 < depth else None) for n in range(depth)]
    assert [(one.key, one.parent) for one in story(_linked(kind, links)).lines] == links[::-1]


def _linked(kind: str, links: list[tuple[Any, Any]]) -> list[Story | Untold]:
    """What a reader finds where every message, (name, parent), is another one's parent."""
    if kind == "open_web_ui":
        said = {key: {"role": "user", "parentId": parent, "content": ""} for key, parent in links}
        return open_web_ui.read(json.dumps(chat("", said)).encode())
    if kind == "libre_chat":
        messages = [{"messageId": key, "parentMessageId": parent, "text": ""} for key, parent in links]
        return libre_chat.read(json.dumps({"title": "", "messages": messages}).encode())
    rows = [{"name": key, "parent": parent, "role": "user", "state": "complete", "text": ""} for key, parent in links]
    return ours.read(json.dumps(_ours(messages=rows)).encode())


HERE, NOBODY = UUID(int=1), Cast({"characters/mira": "Mira"}, {})
SURROGATE = "\ud800"


@pytest.mark.parametrize("kind", ["libre_chat", "ours"])
@pytest.mark.parametrize(("key", "parent"), [(7, None), (None, None), (["a"], None), ("a", 7), ("a", ["a"])])
def test_a_message_that_no_text_names_is_not_taken(kind: str, key: Any, parent: Any) -> None:
    (told,) = _linked(kind, [("7", None), (key, parent)])
    assert isinstance(told, Untold)
    assert told.why == "It has another shape than this format."


def test_a_message_that_was_said_after_a_number_is_not_taken() -> None:
    (told,) = _linked("open_web_ui", [("7", None), ("a", 7)])
    assert isinstance(told, Untold)
    assert told.why == "It has another shape than this format."


@pytest.mark.parametrize("kind", ["open_web_ui", "libre_chat", "ours"])
def test_what_no_text_can_be_in_a_name_is_replaced_and_the_message_can_be_kept(kind: str) -> None:
    told = story(_linked(kind, [(SURROGATE, None), ("a", SURROGATE)]))
    opened = conversation("alice", told, HERE, NOBODY, JUNE)
    first, second = messages(opened, told, NOBODY, {})
    assert [(one.key, one.parent) for one in told.lines] == [("?", None), ("a", "?")]
    assert (second.parent, opened.current) == (first.id, second.id)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"{", b"[" * 100_000, b'{"a": NaN}', b"7", b'"text"'])
def test_what_is_no_such_file_is_refused_whole(read: Any, content: bytes) -> None:
    try:
        told = read(content)
    except InvalidArgument:
        return
    assert all(isinstance(one, Untold) for one in told)


KEYS = (
    *("mes", "swipes", "swipe_id", "messages", "messagesTree", "messageId", "chat", "history", "format"),
    *("role", "parentId", "children", "text", "content", "title", "state", "name", "version", "group"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(READERS), JSON)
def test_whatever_json_a_file_holds_it_is_told_or_refused(read: Any, value: Any) -> None:
    if isinstance(value, dict):
        value["format"] = FORMAT
    try:
        told = read(json.dumps(value).encode())
    except InvalidArgument:
        return
    assert all(isinstance(one, (Story, Untold)) for one in told)


def test_lines_come_after_their_parents_and_otherwise_as_they_came() -> None:
    said = [Line(key, parent, True, "", None) for key, parent in (("c", "a"), ("a", None), ("b", "a"), ("d", "c"))]
    assert [one.key for one in ordered(said, "")] == ["a", "c", "b", "d"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2024-06-19T14:20:00Z", JUNE),
        ("2024-06-19T14:20:00", JUNE),
        (JUNE.timestamp(), JUNE),
        (JUNE.timestamp() * 1000, JUNE),
        (True, None),
        (None, None),
        (1e300, None),
        ("yesterday", None),
        ("2024-06-19T16:20:00+02:00", JUNE),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
    ],
)
def test_moments_are_read_as_files_have_them(value: Any, found: datetime | None) -> None:
    assert moment(value) == found


GROUP: dict[str, Any] = {"turn_order": "list", "answers_max": 2, "credits_max": 2, "pause_seconds": 0, "seed": 7}


@pytest.mark.parametrize(
    "wrong",
    [
        {"answers_max": 2.5},
        {"seed": "seven"},
        {"seed": 2**63},
        {"self_replies": []},
        {"pause_seconds": True},
        {"talkativeness": {"x" * 100_000: 50}},
        {"talkativeness": {f"characters/c{number}": 50 for number in range(9)}},
        {"talkativeness": {"characters/mira": "50"}},
        {"turn_order": "shouting"},
        {"loudness": 3},
    ],
)
def test_a_file_whose_group_could_not_take_turns_is_not_taken(wrong: dict[str, Any]) -> None:
    told = [_ours(others=["characters/ann"], group=GROUP), _ours(others=["characters/ann"], group={**GROUP, **wrong})]
    good, bad = ours.read(json.dumps(told).encode())
    assert isinstance(good, Story)
    assert isinstance(bad, Untold)
    assert bad.why.startswith("It has another shape than this format")


def test_who_is_named_as_no_character_is_named_is_nobody() -> None:
    told = [_ours(character="customCharacters/me"), _ours(character="/etc"), _ours(others=["characters/A B"])]
    first, second, third = ours.read(json.dumps(told).encode())
    assert [one.character for one in (first, second) if isinstance(one, Story)] == ["", ""]
    assert isinstance(third, Untold)


def _ours(**told: Any) -> dict[str, Any]:
    said = {"format": FORMAT, "version": VERSION, "title": "A talk", "character": "characters/mira"}
    return {**said, "messages": [], **told}


def test_what_a_conversation_lacks_is_named() -> None:
    whole = _ours()
    (told,) = ours.read(json.dumps([{key: value for key, value in whole.items() if key != "messages"}]).encode())
    assert isinstance(told, Untold)
    assert told.why == "It has another shape than this format: it has no 'messages'."
