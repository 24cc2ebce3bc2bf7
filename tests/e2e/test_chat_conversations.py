"""What people do with conversations, through the edge: groups, branches, lists, characters of one's own."""

import asyncio
from uuid import uuid4

import pytest
from google.protobuf import json_format

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.clients import Json, bearer, buf_curl, channel, kind, said
from tests.e2e.stack import Stack
from tests.e2e.talker import Talker, logs, unnumbered
from tests.fakes.behaviour import Behaviour

CHAT = "scenemesh.chat.v1.ChatService"
HOLMES, POTTER = "characters/sherlock-holmes", "characters/harry-potter"
WATSON, GANDALF, FRODO = "characters/john-watson", "characters/gandalf", "characters/frodo-baggins"
DECISION = "type.googleapis.com/scenemesh.quota.v1.Decision"
WAIT_SECONDS, POLL_SECONDS = 90, 0.05
FOLLOW_UPS = ["Who is Moriarty?", "And the hound?", "Tell me more."]


async def _group(talker: Talker) -> str:
    """A group of two, in which both answer."""
    opened = await talker.do(
        "conversations",
        character=HOLMES,
        others=[POTTER],
        display_name="Detectives",
        group={"turn_order": "TURN_ORDER_LIST", "answers_max": 2, "pause_seconds": 0, "seed": "7"},
    )
    assert (opened["others"], opened["group"]) == (
        [POTTER],
        {
            "turn_order": "TURN_ORDER_LIST",
            "talkativeness": {},
            "answers_max": 2,
            "credits_max": 2,
            "self_replies": False,
            "pause_seconds": 0,
            "seed": "7",
        },
    )
    return str(opened["name"])


async def test_in_a_group_one_stream_carries_the_answers_of_all(stack: Stack) -> None:
    ada = Talker(stack, "group-ada")
    group = await _group(ada)
    first, second = logs(await ada.says(group))
    ended = [log[-1]["finished"]["message"] for log in (first, second)]
    assert [(one["character"], one["next_message"]) for one in ended] == [
        (HOLMES, second[0]["message"]),
        (POTTER, ""),
    ]
    for log in (first, second):
        assert [int(event["number"]) for event in log] == [*range(1, len(log) + 1)]
        assert log[-1]["finished"]["message"]["text"] == said(log) != ""
        assert await ada.watched(log[0]["message"]) == log
    messages = await ada.messages(group)
    assert [(one["role"], one["character"]) for one in messages] == [
        ("ROLE_USER", ""),
        ("ROLE_CHARACTER", HOLMES),
        ("ROLE_CHARACTER", POTTER),
    ]
    assert [one["parent"] for one in messages] == ["", *(one["name"] for one in messages[:2])]
    assert await ada.remaining("chat") == 3


def _shape(events: list[Json]) -> list[list[str]]:
    """The kinds of events of every answer's log. In how many pieces it was said depends on how busy the machine is."""
    return [list(dict.fromkeys(kind(event) for event in log)) for log in logs(events)]


async def test_a_round_is_the_same_over_every_protocol(stack: Stack) -> None:
    ben = Talker(stack, "group-ben", "operator")
    over_rest = await ben.says(await _group(ben))
    request = {
        "parent": await _group(ben),
        "text": "Who are you?",
        "speakers": [HOLMES, POTTER],
        "request_id": str(uuid4()),
    }
    async with channel(stack.url) as grpc_channel:
        sent = chat_pb2_grpc.ChatServiceStub(grpc_channel).SendMessage(
            json_format.ParseDict(request, chat_pb2.SendMessageRequest()), metadata=bearer(ben.token)
        )
        over_grpc = [json_format.MessageToDict(event, preserving_proto_field_name=True) async for event in sent]
    # A third round would be one turn too many.
    cy = Talker(stack, "group-cy", "operator")
    request = {"parent": await _group(cy), "text": "Who are you?", "request_id": str(uuid4())}
    over_web = await buf_curl(stack.url, "grpcweb", f"{CHAT}/SendMessage", request, cy.token)
    assert over_web.error is None
    assert _shape(over_rest) == _shape(over_grpc) == _shape(over_web.messages)
    assert len(_shape(over_rest)) == 2


async def _scene(talker: Talker, cast: list[str], group: Json, turns: int) -> list[list[str]]:
    """Who answers each of so many turns, in a new group that speaks of nobody by name."""
    character, *others = cast
    opened = await talker.do("conversations", character=character, others=others, group={"seed": "7", **group})
    rounds = [logs(await talker.says(opened["name"], f"{number}: well?")) for number in range(turns)]
    return [[log[-1]["finished"]["message"]["character"] for log in round_] for round_ in rounds]


async def test_the_same_scene_takes_the_same_turns_again(stack: Stack) -> None:
    cast = [POTTER, HOLMES, WATSON, GANDALF, FRODO]
    group = {"turn_order": "TURN_ORDER_NATURAL", "answers_max": 2, "talkativeness": {POTTER: 0, GANDALF: 90}}
    played = [await _scene(Talker(stack, f"scene-{user}"), cast, group, turns=2) for user in ("ivy", "joe")]
    assert played[0] == played[1]
    assert all(len(set(speakers)) == len(speakers) > 0 for speakers in played[0])
    assert POTTER not in (one for speakers in played[0] for one in speakers)


async def test_out_of_a_pool_nobody_speaks_again_before_all_have(stack: Stack) -> None:
    cast = [HOLMES, POTTER, WATSON, GANDALF, FRODO]
    group = {"turn_order": "TURN_ORDER_POOLED", "answers_max": 1}
    spoken = await _scene(Talker(stack, "scene-kay"), cast, group, turns=5)
    assert sorted(one for speakers in spoken for one in speakers) == sorted(cast)


async def test_who_joins_late_watches_the_next_answer_while_it_is_made(stack: Stack) -> None:
    abe = Talker(stack, "group-abe")
    group = await _group(abe)
    await stack.provider.script({"answer": ["I ", "am ", "he."]})
    await stack.provider.script({"answer": ["So ", "am ", "I."], "delay_ms": 100})
    following = ""
    async for event in abe.rest.events("POST", f"/v1/{group}/messages:send", {"text": "Who are you?"}):
        if "finished" in event:
            following = event["finished"]["message"]["next_message"]
            break
    # Whoever hangs up ends no round.
    async with asyncio.timeout(WAIT_SECONDS):
        while (await abe.rest.call("GET", f"/v1/{following}")).status != 200:
            await asyncio.sleep(POLL_SECONDS)
    log = await abe.watched(following)
    assert (said(log), kind(log[-1]), log[-1]["finished"]["message"]["character"]) == ("So am I.", "finished", POTTER)


async def test_another_answer_and_another_wording_are_branches_to_choose_from(stack: Stack) -> None:
    dora = Talker(stack, "tree-dora")
    conversation = await dora.rest.conversation()
    sent = await dora.says(conversation, "Who are you?")
    question, answer = sent[0]["started"]["user_message"]["name"], sent[0]["message"]
    again = await dora.stream(f"{answer}:regenerate")
    other = again[0]["message"]
    assert [kind(again[0]), kind(again[-1])] == ["started", "finished"]
    assert [
        (one["name"], one["sibling_number"], one["sibling_count"]) for one in await dora.messages(conversation)
    ] == [
        (question, 1, 1),
        (other, 2, 2),
    ]

    reworded = await dora.stream(f"{question}:rewrite", text="Who art thou?")
    branch = await dora.messages(conversation)
    assert (branch[0]["text"], branch[0]["sibling_number"]) == ("Who art thou?", 2)
    assert branch[-1]["name"] == reworded[0]["message"]
    assert len(await dora.messages(conversation, all_branches=True)) == 5

    chosen = await dora.do(f"{answer}:choose")
    assert chosen["current_message"] == answer
    assert [one["name"] for one in await dora.messages(conversation)] == [question, answer]
    after = await dora.says(conversation, "Go on.", after=other)
    assert after[0]["started"]["user_message"]["parent"] == other

    left = await dora.delete(question)
    assert (left["message_count"], left["current_message"]) == (2, reworded[0]["message"])
    assert (await dora.rest.call("GET", f"/v1/{answer}")).status == 404


async def test_a_message_is_changed_where_it_stands(stack: Stack) -> None:
    eve = Talker(stack, "tree-eve")
    conversation = await eve.rest.conversation()
    answer = (await eve.says(conversation))[0]["message"]
    changed = await eve.change(answer, "text,pinned,reaction", text="I am he.", pinned=True, reaction="REACTION_LIKE")
    assert (changed["text"], changed["pinned"], changed["reaction"]) == ("I am he.", True, "REACTION_LIKE")
    assert changed["edit_time"]
    assert await eve.messages(conversation, pinned=True) == [changed] == [await eve.ask(answer)]
    assert (await eve.refused("PATCH", f"{answer}?update_mask=role", {"role": "ROLE_USER"}))[0] == 400


async def test_a_conversation_is_forked_where_somebody_likes(stack: Stack) -> None:
    fay = Talker(stack, "tree-fay")
    conversation = await fay.rest.conversation()
    answer = (await fay.says(conversation))[0]["message"]
    await fay.says(conversation, "And then?")
    request_id = "6f1d2c3e-0000-4000-8000-00000000000a"
    forks = [await fay.do(f"{answer}:fork", display_name="Elsewhere", request_id=request_id) for _ in range(2)]
    assert forks[0] == forks[1]
    assert (forks[0]["forked_from"], forks[0]["display_name"], forks[0]["message_count"]) == (
        conversation,
        "Elsewhere",
        2,
    )
    originals, copies = await fay.messages(conversation), await fay.messages(forks[0]["name"])
    assert [one["text"] for one in copies] == [one["text"] for one in originals[:2]]
    assert kind((await fay.says(forks[0]["name"], "Another way."))[-1]) == "finished"


async def test_conversations_are_named_put_away_and_found_again(stack: Stack) -> None:
    gus = Talker(stack, "list-gus")
    detective, wizard = await gus.rest.conversation(), await gus.rest.conversation(POTTER)
    renamed = await gus.change(detective, "display_name", display_name="The Red-Headed League", archived=True)
    assert (renamed["display_name"], renamed["archived"]) == ("The Red-Headed League", False)

    async def listed(**query: object) -> list[str]:
        return [one["name"] for one in (await gus.ask("conversations", **query))["conversations"]]

    assert await listed(query="red-headed") == await listed(character=HOLMES) == [detective]
    assert (await gus.change(detective, "archived", archived=True))["archived"] is True
    assert (await listed(), await listed(archived=True)) == ([wizard], [detective])
    assert (await gus.refused("PATCH", f"{wizard}?update_mask=character", {"character": HOLMES}))[0] == 400
    assert (await gus.delete(wizard), await gus.delete(wizard), await listed()) == ({}, {}, [])


async def test_what_was_said_is_found_by_its_words(stack: Stack) -> None:
    hal = Talker(stack, "find-hal")
    conversation = await hal.rest.conversation()
    await stack.provider.script({"answer": ["Elementary: ", "the orchid ", "is false."]})
    answer = (await hal.says(conversation, "What of the flower?"))[0]["message"]
    (match,) = (await hal.ask("messages:search", query="orchid"))["matches"]
    (span,) = match["highlights"]
    assert (match["message"]["name"], match["snippet"][span["start"] : span["end"]]) == (answer, "orchid")
    assert (await hal.ask("messages:search", query="orchid", parent=conversation))["matches"] == [match]
    assert (await hal.ask("messages:search", query="tulip"))["matches"] == []


async def test_what_might_be_said_next_is_there_for_who_asks_and_stays_the_same(stack: Stack) -> None:
    ida, fake = Talker(stack, "next-ida"), stack.provider.fake
    # One that has a name wants no title, which is made behind the scenes, too.
    conversation = (await ida.do("conversations", character=HOLMES, display_name="Named"))["name"]
    answer = (await ida.says(conversation))[0]["message"]
    fake.aside = Behaviour(answer=["\n".join(FOLLOW_UPS)])
    try:
        assert await _follow_ups(ida, answer) == {"follow_ups": FOLLOW_UPS}
    finally:
        fake.aside = Behaviour(answer=())
    assert await _follow_ups(ida, answer) == {"follow_ups": FOLLOW_UPS}


async def _follow_ups(talker: Talker, answer: str) -> Json:
    """What might be said next, once there is something: a busy machine makes nothing in time."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not (told := await talker.ask(f"{answer}/followUps"))["follow_ups"]:
            await asyncio.sleep(POLL_SECONDS)
    return told


async def test_a_character_of_ones_own_greets_and_answers(stack: Stack) -> None:
    jo, kim = Talker(stack, "author-jo"), Talker(stack, "author-kim")
    wanted = {"display_name": "Mira", "persona": "A keeper of lamps.", "greeting": "Mind the stairs."}
    made = await jo.do("customCharacters", **wanted)
    assert {name: made[name] for name in wanted} == wanted
    assert (await jo.change(made["name"], "title", title="The Lighthouse"))["title"] == "The Lighthouse"
    assert [one["name"] for one in (await jo.ask("customCharacters"))["custom_characters"]] == [made["name"]]

    conversation = await jo.rest.conversation(made["name"])
    events = await jo.says(conversation)
    assert kind(events[-1]) == "finished"
    assert [(one["character"], one["text"]) for one in await jo.messages(conversation)] == [
        (made["name"], "Mind the stairs."),
        ("", "Who are you?"),
        (made["name"], said(events)),
    ]
    assert "A keeper of lamps." in str(stack.provider.fake.requests[-1].body)

    for verb, path, body in (
        ("GET", made["name"], None),
        ("PATCH", f"{made['name']}?update_mask=title", {"title": "Mine"}),
        ("POST", "conversations", {"character": made["name"]}),
    ):
        assert (verb, (await kim.refused(verb, path, body))[0]) == (verb, 404)
    # Deleting what there is not is deleting it twice, whoever asks.
    assert await kim.delete(made["name"]) == {}
    assert (await kim.ask("customCharacters"))["custom_characters"] == []
    assert (await jo.ask(made["name"]))["title"] == "The Lighthouse"


async def test_without_credit_no_way_of_asking_for_an_answer_is_open(stack: Stack) -> None:
    lea = Talker(stack, "spent-lea")
    conversation = await lea.rest.conversation()
    sent = await lea.says(conversation)
    question, answer = sent[0]["started"]["user_message"]["name"], sent[0]["message"]
    for _ in range(4):
        assert kind((await lea.says(conversation))[-1]) == "finished"
    assert (await lea.rest.settled())["remaining"] == "0"
    asked, kept = await stack.provider.requests(), await lea.messages(conversation, all_branches=True)
    bodies = []
    for path, body in (
        (f"{conversation}/messages:send", {"text": "More?"}),
        (f"{answer}:regenerate", {}),
        (f"{question}:rewrite", {"text": "More?"}),
    ):
        refused = await lea.rest.call("POST", f"/v1/{path}", body)
        assert (path, refused.status, refused.headers["content-type"]) == (path, 402, "application/json")
        bodies.append(unnumbered(refused.body))
    assert bodies == [bodies[0]] * 3
    (decision,) = [one for one in bodies[0]["details"] if one["@type"] == DECISION]
    assert (decision["outcome"], decision["reason"], decision["message"]) == (
        "OUTCOME_REFUSED",
        "REASON_LIMIT_REACHED",
        bodies[0]["message"],
    )
    assert await stack.provider.requests() == asked
    assert await lea.messages(conversation, all_branches=True) == kept


OTHERS: tuple[tuple[str, str, Json | None], ...] = (
    ("GET", "{conversation}", None),
    ("PATCH", "{conversation}?update_mask=display_name", {"display_name": "Mine"}),
    ("GET", "{conversation}/messages", None),
    ("POST", "{conversation}/messages:send", {"text": "Hello?"}),
    ("POST", "{conversation}:estimateTurn", {"text": "Hello?"}),
    ("GET", "{conversation}:export", None),
    ("GET", "{answer}", None),
    ("PATCH", "{answer}?update_mask=text", {"text": "Mine"}),
    ("POST", "{answer}:choose", {}),
    ("POST", "{answer}:fork", {}),
    ("POST", "{answer}:regenerate", {}),
    ("POST", "{question}:rewrite", {"text": "Hello?"}),
    ("POST", "{answer}:stop", {}),
    ("POST", "{answer}:speak", {}),
    ("GET", "{answer}:watch", None),
    ("GET", "{answer}/followUps", None),
    ("DELETE", "{answer}", None),
    ("DELETE", "{conversation}", None),
)


async def test_what_belongs_to_another_does_not_exist(stack: Stack) -> None:
    moe, ned = Talker(stack, "owner-moe"), Talker(stack, "other-ned")
    conversation = await moe.rest.conversation()
    sent = await moe.says(conversation, "A secret.")
    names = {
        "conversation": conversation,
        "question": sent[0]["started"]["user_message"]["name"],
        "answer": sent[0]["message"],
    }
    await moe.rest.settled()
    before = await moe.ask(conversation), await moe.messages(conversation)
    statuses = {}
    for verb, path, body in OTHERS:
        statuses[f"{verb} {path}"] = (await ned.rest.call(verb, f"/v1/{path.format(**names)}", body)).status
    assert statuses == dict.fromkeys(statuses, 404)
    assert (await ned.ask("messages:search", query="secret"))["matches"] == []
    assert (await ned.ask("conversations"))["conversations"] == []
    assert (await moe.ask(conversation), await moe.messages(conversation)) == before
    assert await ned.remaining("chat") == 5


@pytest.mark.parametrize("text", ["😀" * 8_000, '"' * 8_000], ids=["escaped twice", "quotes"])
async def test_a_message_may_be_as_long_as_the_contract_says_however_it_is_written(stack: Stack, text: str) -> None:
    ola = Talker(stack, f"long-{ord(text[0])}")
    events = await ola.says(await ola.rest.conversation(), text)
    assert (events[0]["started"]["user_message"]["text"], kind(events[-1])) == (text, "finished")
