"""Whom `scenemesh chat` talks to where a name is looked up."""

import pytest

from scenemesh.search.v1 import search_pb2
from tests.service.cli.conftest import Command
from tests.service.cli.fake_edge import HIT, SHERLOCK, Script

NOBODY = "No character is called 'nobody-xx'."


def hit(name: str, title: str, missing_points: float, typos: int = 0) -> search_pb2.Suggestion:
    score = search_pb2.Score(missing_points=missing_points, typos=typos)
    return search_pb2.Suggestion(
        name=SHERLOCK.name, display_name=name, title_display_name=title, kind=search_pb2.KIND_CHARACTER, score=score
    )


@pytest.mark.parametrize(
    "best",
    [
        hit("Sherlock Holmes", "Sherlock", 0, typos=2),
        hit("Luke Skywalker", "Star Wars", -12),
        hit("Frodo", "The Lord of the Rings: The Fellowship of the Ring", -60),
    ],
    ids=["misspelled", "with words of the title", "with a long title"],
)
async def test_who_has_every_word_that_was_asked_for_is_talked_to(
    command: Command, script: Script, best: search_pb2.Suggestion
) -> None:
    script.suggestions = [best]
    ran = await command("chat", "sherlok hol", "Who are you?")
    assert (ran.code, ran.out) == (0, "Elementary.\n")


@pytest.mark.parametrize("points", [-40, -46, -80, -92, -120])
async def test_who_lacks_words_that_were_asked_for_is_only_proposed(
    command: Command, script: Script, points: float
) -> None:
    script.suggestions = [hit("Xenomorph", "Alien", points), hit("Nobody", "", points), HIT, HIT]
    ran = await command("chat", "nobody-xx", "Hi")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines() == [
        f"scenemesh: {NOBODY} Did you mean Xenomorph (Alien), Nobody or Sherlock Holmes (Sherlock)?",
        "`scenemesh search NAME --kind character` finds one, `scenemesh characters list` shows your own.",
    ]
    assert [type(one).__name__ for one in script.requests] == ["GetCharacterRequest", "SuggestRequest"]


async def test_programs_learn_that_nobody_is_called_so(command: Command, script: Script) -> None:
    script.suggestions = [hit("Xenomorph", "Alien", -40)]
    told = (await command("chat", "nobody-xx", "Hi", "--json")).json["error"]
    assert (told["code"], told["reason"]) == ("NOT_FOUND", "CHARACTER_NOT_FOUND")
    assert told["message"] == f"{NOBODY} Did you mean Xenomorph (Alien)?"
