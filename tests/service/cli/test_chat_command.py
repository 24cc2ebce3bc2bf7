import asyncio
import signal
from collections.abc import Sequence

import grpc
import pytest

from runtime.errors import Aborted, DeadlineExceeded, Internal, MeshError, NotFound, QuotaExhausted, Unavailable
from scenemesh.chat.v1 import character_pb2, chat_pb2
from scenemesh.search.v1 import search_pb2
from tests.service.cli.conftest import WAIT_SECONDS, Command
from tests.service.cli.fake_edge import (
    CONVERSATION,
    MESSAGE,
    MIRA,
    NEXT,
    REFUSED,
    SHERLOCK,
    WATSON,
    WHOLE,
    Script,
    Step,
    delayed,
    delta,
    failed,
    finished,
    started,
)

EXHAUSTED = QuotaExhausted(
    REFUSED.message,
    subject="users/alice/meters/chat",
    metadata={"meter": "chat", "limit": "5"},
    details=[REFUSED],
)
DROPPED = grpc.StatusCode.UNAVAILABLE
UNKNOWN = NotFound("There is no such model.", reason="MODEL_NOT_FOUND")
NOT_KEPT = "Nothing was said, so the conversation was not kept."


def kinds(requests: list[object]) -> list[str]:
    return [type(request).__name__ for request in requests]


def deleted(script: Script) -> list[str]:
    """The conversations that the command wanted deleted."""
    return [one.name for one in script.requests if isinstance(one, chat_pb2.DeleteConversationRequest)]


async def test_a_slug_is_talked_to_and_the_answer_is_all_of_stdout(command: Command, script: Script) -> None:
    ran = await command("chat", "sherlock-holmes", "Who are you?")
    assert (ran.code, ran.out) == (0, "Elementary.\n")
    assert ran.err.splitlines() == [
        f"Sherlock Holmes (Sherlock), {CONVERSATION}",
        "Sherlock Holmes: paid 1 chat, 4 left, anew 2026-11-22 01:00, 120 + 45 tokens, tiny",
    ]
    assert kinds(script.requests) == [
        "GetCharacterRequest",
        "CreateConversationRequest",
        "SendMessageRequest",
        "GetQuotaRequest",
    ]


async def test_a_delay_is_told_on_stderr_and_the_answer_stays_whole_on_stdout(command: Command, script: Script) -> None:
    script.sends = [(*WHOLE[:2], delayed(2), *WHOLE[2:])]
    ran = await command("chat", "sherlock-holmes", "Who are you?")
    assert (ran.code, ran.out) == (0, "Elementary.\n")
    told = "What is said cannot be read here just now. It goes on, and what is missing comes later:"
    assert ran.err.splitlines()[2] == told


async def test_a_name_is_looked_up_and_the_best_hit_is_taken(command: Command, script: Script) -> None:
    ran = await command("chat", "Sherlock Holmes", "Who are you?")
    assert (ran.code, ran.out) == (0, "Elementary.\n")
    assert script.requests[0] == search_pb2.SuggestRequest(
        query="Sherlock Holmes", page_size=3, kinds=[search_pb2.KIND_CHARACTER], explain=True
    )


async def test_a_name_that_looks_like_a_slug_is_looked_up_too(command: Command, script: Script) -> None:
    ran = await command("chat", "holmes", "Who are you?")
    assert (ran.code, kinds(script.requests)[:2]) == (0, ["GetCharacterRequest", "SuggestRequest"])


async def test_a_character_of_ones_own_is_talked_to(command: Command, script: Script) -> None:
    ran = await command("chat", MIRA.name, "Who are you?")
    assert (ran.code, ran.out) == (0, "Elementary.\n")
    assert ran.err.splitlines()[0] == f"Mira, {CONVERSATION}"
    assert script.requests[0] == character_pb2.GetCustomCharacterRequest(name=MIRA.name)


async def test_nobody_by_that_name_is_a_failure(command: Command, script: Script) -> None:
    script.suggestions = ()
    named = await command("chat", "Nobody At All", "Hi", "--json")
    by_resource = await command("chat", "characters/nobody", "Hi", "--json")
    assert [(ran.code, ran.json["error"]["reason"]) for ran in (named, by_resource)] == [
        (1, "CHARACTER_NOT_FOUND"),
        (1, "CHARACTER_NOT_FOUND"),
    ]


@pytest.mark.parametrize("nothing", ["", " \n"])
async def test_who_says_nothing_opens_no_conversation(command: Command, script: Script, nothing: str) -> None:
    ran = await command("chat", "sherlock-holmes", nothing)
    assert (ran.code, ran.out, ran.err) == (2, "", "scenemesh: A message says something.\n")
    assert script.requests == []


async def test_who_names_nobody_is_told_so(command: Command, script: Script) -> None:
    ran = await command("chat", " ", "Hi")
    assert (ran.code, ran.out, ran.err.splitlines()[0]) == (2, "", "scenemesh: A character has a name.")
    assert script.requests == []


async def test_a_conversation_goes_on(command: Command, script: Script) -> None:
    ran = await command("chat", "sherlock-holmes", "And then?", "--conversation", CONVERSATION.split("/")[1])
    assert (ran.code, ran.out) == (0, "Elementary.\n")
    assert script.requests[1] == chat_pb2.GetConversationRequest(name=CONVERSATION)
    assert script.requests[2].parent == CONVERSATION


async def test_programs_get_one_event_a_line(command: Command) -> None:
    ran = await command("chat", "sherlock-holmes", "Who are you?", "--json")
    assert [(event["number"], event["message"]) for event in ran.lines] == [(str(n), MESSAGE) for n in (1, 2, 3, 4)]
    assert "".join(event["delta"]["text"] for event in ran.lines if "delta" in event) == "Elementary."
    assert ran.lines[-1]["finished"]["receipt"]["charged"] == "1"


async def test_a_dropped_connection_is_taken_up_where_it_broke(command: Command, script: Script) -> None:
    script.sends = [(started(), delta(2, "Element"), DROPPED)]
    script.watches = [(delta(3, "ary."), finished(4))]
    ran = await command("chat", "sherlock-holmes", "Who are you?")
    assert (ran.code, ran.out) == (0, "Elementary.\n")


async def test_an_answer_that_breaks_off_ends_its_line_and_fails(command: Command, script: Script) -> None:
    script.sends = [(started(), delta(2, "Element"), Internal("a detail", reason="INTERNAL"))]
    ran = await command("chat", "sherlock-holmes", "Who are you?")
    assert (ran.code, ran.out) == (1, "Element\n")


async def test_an_answer_that_failed_is_told_and_fails_the_command(command: Command, script: Script) -> None:
    script.sends = [(started(), delta(2, "Elem"), failed(3))]
    ran = await command("chat", "sherlock-holmes", "Who are you?")
    assert (ran.code, ran.out) == (1, "Elem\n")
    assert "scenemesh: The model broke off; this turn is free." in ran.err
    assert "paid 0 chat" in ran.err


async def test_an_exhausted_meter_has_its_own_exit_code(command: Command, script: Script) -> None:
    script.sends = [(EXHAUSTED,), (EXHAUSTED,)]
    told = await command("chat", "sherlock-holmes", "Hi")
    as_json = (await command("chat", "sherlock-holmes", "Hi", "--json")).json["error"]
    assert (told.code, told.err.splitlines()[1:]) == (
        5,
        [
            NOT_KEPT,
            "scenemesh: All 5 turns of today are used.",
            "  Creator: 100 per day (plans/creator)",
            "  Max: no limit (plans/max)",
            "`scenemesh quota` shows when it starts anew, `scenemesh billing plans` what more costs.",
        ],
    )
    assert (as_json["code"], as_json["reason"], as_json["metadata"]["limit"]) == (
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXHAUSTED",
        "5",
    )
    assert as_json["decision"]["unlocks"][0]["plan"] == "plans/creator"


@pytest.mark.parametrize(
    ("words", "stdin", "refusal", "code"),
    [
        (["Hi"], "", EXHAUSTED, 5),
        (["Hi"], "", UNKNOWN, 1),
        (["Hi"], "", Unavailable("Every model rests.", reason="MODEL_UNAVAILABLE"), 3),
        ([], "Hi\nHello\n", UNKNOWN, 1),
        ([], "Hi\nHello\n", EXHAUSTED, 5),
        ([], "\n", UNKNOWN, 0),
    ],
)
async def test_a_conversation_in_which_nothing_was_said_is_not_kept(
    command: Command, script: Script, words: list[str], stdin: str, refusal: MeshError, code: int
) -> None:
    script.sends = [(refusal,), (refusal,)]
    ran = await command("chat", "sherlock-holmes", *words, stdin=stdin)
    assert (ran.code, ran.out, deleted(script)) == (code, "", [CONVERSATION])
    assert NOT_KEPT in ran.err.splitlines()


async def test_programs_are_told_only_of_the_refusal(command: Command, script: Script) -> None:
    script.sends = [(UNKNOWN,)]
    ran = await command("chat", "sherlock-holmes", "Hi", "--json")
    assert (ran.json["error"]["reason"], deleted(script)) == ("MODEL_NOT_FOUND", [CONVERSATION])


@pytest.mark.parametrize(
    ("sends", "words", "stdin"),
    [
        ([WHOLE], ["Hi"], ""),
        ([WHOLE, (EXHAUSTED,)], [], "Hi\nHello\n"),
        ([(UNKNOWN,), WHOLE], [], "Hi\nHello\n"),
        ([(EXHAUSTED,)], ["Hi", "--conversation", CONVERSATION], ""),
        ([(started(), failed(2))], ["Hi"], ""),
        ([(started(), Internal("a detail", reason="INTERNAL"))], ["Hi"], ""),
        ([(DROPPED,)], ["Hi"], ""),
        ([(grpc.StatusCode.DEADLINE_EXCEEDED,)], ["Hi"], ""),
        ([(DeadlineExceeded("Late.", reason="DEADLINE_EXCEEDED"),)], ["Hi"], ""),
        ([(DROPPED,), (UNKNOWN,)], [], "Hi\nHello\n"),
    ],
)
async def test_a_conversation_in_which_something_may_have_been_said_is_kept(
    command: Command, script: Script, sends: list[Sequence[Step]], words: list[str], stdin: str
) -> None:
    script.sends = sends
    ran = await command("chat", "sherlock-holmes", *words, stdin=stdin)
    assert (deleted(script), NOT_KEPT in ran.err) == ([], False)


async def test_what_another_device_has_said_meanwhile_is_kept(command: Command, script: Script) -> None:
    script.sends, script.message_count = [(EXHAUSTED,)], 1
    ran = await command("chat", "sherlock-holmes", "Hi")
    assert (ran.code, deleted(script), NOT_KEPT in ran.err) == (5, [], False)


async def test_a_conversation_that_cannot_be_deleted_hides_no_refusal(command: Command, script: Script) -> None:
    script.sends, script.delete_refusal = [(EXHAUSTED,)], Unavailable("Not now.", reason="DATABASE_UNAVAILABLE")
    ran = await command("chat", "sherlock-holmes", "Hi")
    assert (ran.code, deleted(script), ran.err.splitlines()[1]) == (5, [CONVERSATION], f"scenemesh: {REFUSED.message}")


async def test_a_conversation_lasts_until_an_empty_line(command: Command, script: Script) -> None:
    script.sends = [WHOLE, (Aborted("Still answering.", reason="ANSWER_IN_PROGRESS"),), WHOLE, WHOLE]
    ran = await command("chat", "sherlock-holmes", stdin="One\nTwo\nThree\n\nFour\n")
    said = [request.text for request in script.requests if isinstance(request, chat_pb2.SendMessageRequest)]
    assert (ran.code, ran.out, said) == (0, "Elementary.\nElementary.\n", ["One", "Two", "Three"])
    assert "scenemesh: Still answering." in ran.err


async def test_a_line_that_is_no_text_is_not_said_and_the_conversation_goes_on(
    command: Command, script: Script
) -> None:
    ran = await command("chat", "sherlock-holmes", stdin="bad \udcff\nTwo\n", PYTHONIOENCODING="utf-8:strict")
    said = [request.text for request in script.requests if isinstance(request, chat_pb2.SendMessageRequest)]
    assert (ran.code, ran.out, said) == (0, "Elementary.\n", ["Two"])
    assert "scenemesh: 'bad \\udcff' is no text in UTF-8." in ran.err


async def test_a_conversation_ends_when_the_meter_is_empty(command: Command, script: Script) -> None:
    script.sends = [WHOLE, (EXHAUSTED,)]
    ran = await command("chat", "sherlock-holmes", stdin="One\nTwo\nThree\n")
    assert (ran.code, ran.out) == (5, "Elementary.\n")


async def test_an_unknown_rest_of_the_quota_spoils_no_answer(command: Command, script: Script) -> None:
    script.quota = Unavailable("Not now.", reason="DATABASE_UNAVAILABLE")
    ran = await command("chat", "sherlock-holmes", "Hi")
    assert (ran.code, ran.out) == (0, "Elementary.\n")
    assert "paid 1 chat, 120 + 45 tokens, tiny" in ran.err


FIRST = (started(), delta(2, "Elementary."), finished(3, following=NEXT))
SECOND = (started(1, NEXT), delta(2, "Amazing!", NEXT), finished(3, NEXT))
PAIR = ("chat", "sherlock-holmes", "--with", "john-watson")


def told_apart(script: Script) -> None:
    script.characters = {MESSAGE: SHERLOCK.name, NEXT: WATSON.name}


async def test_in_a_group_everybody_is_named_and_one_line_says_what_it_cost(command: Command, script: Script) -> None:
    told_apart(script)
    script.sends = [(*FIRST, *SECOND)]
    ran = await command(*PAIR, "Well?")
    assert (ran.code, ran.out) == (0, "Sherlock Holmes: Elementary.\nJohn Watson: Amazing!\n")
    assert ran.err.splitlines() == [
        f"Sherlock Holmes, John Watson (Sherlock), {CONVERSATION}",
        "paid 2 chat, 4 left, anew 2026-11-22 01:00, 240 + 90 tokens, tiny",
    ]
    created = next(one for one in script.requests if isinstance(one, chat_pb2.CreateConversationRequest))
    assert created.conversation == chat_pb2.Conversation(character=SHERLOCK.name, others=[WATSON.name])


async def test_a_group_goes_on_with_whoever_is_in_it(command: Command, script: Script) -> None:
    told_apart(script)
    script.others, script.sends = [WATSON.name], [(*FIRST, *SECOND)]
    ran = await command("chat", "sherlock-holmes", "Well?", "--conversation", CONVERSATION)
    assert (ran.code, ran.out) == (0, "Sherlock Holmes: Elementary.\nJohn Watson: Amazing!\n")


async def test_a_conversation_with_others_is_not_taken_for_a_group(command: Command) -> None:
    ran = await command(*PAIR, "Well?", "--conversation", CONVERSATION)
    told = f"That conversation is with {SHERLOCK.name}, not with {SHERLOCK.name}, {WATSON.name}."
    assert (ran.code, ran.out, told in ran.err) == (2, "", True)


async def test_a_round_is_taken_up_where_its_connection_broke(command: Command, script: Script) -> None:
    told_apart(script)
    script.sends = [(*FIRST, DROPPED)]
    script.watches = [(*SECOND[:2], DROPPED), SECOND[2:]]
    ran = await command(*PAIR, "Well?")
    assert (ran.code, ran.out) == (0, "Sherlock Holmes: Elementary.\nJohn Watson: Amazing!\n")
    watched = [(one.name, one.after) for one in script.requests if isinstance(one, chat_pb2.WatchMessageRequest)]
    assert watched == [(NEXT, 0), (NEXT, 2)]


async def test_an_answer_that_is_taken_up_is_followed_by_the_next(command: Command, script: Script) -> None:
    told_apart(script)
    script.sends = [(*FIRST[:2], DROPPED)]
    script.watches = [FIRST[2:], SECOND]
    ran = await command(*PAIR, "Well?")
    assert (ran.code, ran.out) == (0, "Sherlock Holmes: Elementary.\nJohn Watson: Amazing!\n")


async def test_a_round_that_ends_early_is_no_failure(command: Command, script: Script) -> None:
    told_apart(script)
    script.sends = [FIRST, (*FIRST, DROPPED)]
    script.watches = [(NotFound("There is no such answer among yours.", reason="MESSAGE_NOT_FOUND"),)]
    for _ in range(2):
        ran = await command(*PAIR, "Well?")
        assert (ran.code, ran.out) == (0, "Sherlock Holmes: Elementary.\n")


async def test_ctrl_c_stops_watching_and_the_call_ends(command: Command, script: Script) -> None:
    script.sends = [(started(), delta(2, "Element"), grpc.StatusCode.OK)]
    process = await command.start("chat", "sherlock-holmes", "Who are you?")
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_SECONDS):
        assert await process.stdout.read(7) == b"Element"
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        await script.abandoned.wait()
    assert process.returncode == 130
    assert f"Stopped watching. The answer goes on in {CONVERSATION}." in err.decode()
    assert "Traceback" not in err.decode()


async def test_ctrl_c_before_an_answer_begins_deletes_nothing(command: Command, script: Script) -> None:
    script.sends = [(grpc.StatusCode.OK,)]
    process = await command.start("chat", "sherlock-holmes", "Who are you?")
    async with asyncio.timeout(WAIT_SECONDS):
        while "SendMessageRequest" not in kinds(script.requests):
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGINT)
        await process.communicate()
        await script.abandoned.wait()
    assert (process.returncode, deleted(script)) == (130, [])
