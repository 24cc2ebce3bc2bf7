"""What no reader sees is no part of a prompt, and hides no mark of a model's own format."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.unseen import UNSEEN
from services.chat_svc.domain.wording import line, said

MARKS = (
    *("<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|START_OF_TURN_TOKEN|>", "<start_of_turn>", "<end_of_turn>"),
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<bos>", "<eos>", "[gMASK]", "<sop>"),
    *("<\uff5cAssistant\uff5c>", "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "[SYSTEM_PROMPT]", "[TOOL_CALLS]"),
    *("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "<think>", "</think>", "<tool_call>", "<seed:bos>"),
)
# Of every kind: joiners, forms, fillers, tags, directions, operators, controls.
HIDING = (
    "\u200b\u200c\u200d\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200e\u202e\u2060\u2062\u2065\u206a\u3164\ufe00\ufe0f"
    "\ufeff\uffa0\ufff9\U0001d173\U000e0001\U000e0041\U000e007f\U000e0100\U000e010c\U000e01ef\U000e0fff\x00\x1b\x7f\x9f"
)
WHOLE = (
    "👨\u200d👩\u200d👧\u200d👦",
    "👩🏽\u200d🔬",
    "❤\ufe0f\u200d🔥",
    "🏳\ufe0f\u200d🌈",
    "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "©\ufe0f ™\ufe0f ‼\ufe0f",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "می\u200cخواهم",  # noqa: RUF001 (Persian)
    "क्\u200dष क्\u200cष",
    "葛\U000e0100城",
    "ᠠ\u180b",
    "שָׁלוֹם مرحبا 한국어 ไทย ภาษา",
    "Der Löwe\n\tsagt: 1 < 2, a[i] << 3, «да» und <b>Ja</b> | [nein].",
)


def shown(text: str) -> str:
    """What a reader sees of a text, by another rule: nothing of formats, marks on what came before, and controls."""
    return "".join(
        one for one in text if unicodedata.category(one) not in ("Cf", "Mn", "Cc", "Cn") and one not in HIDING
    )


def marks(text: str) -> list[str]:
    return [mark for mark in MARKS if mark.casefold() in text.casefold()]


@pytest.mark.parametrize("mark", MARKS)
def test_no_mark_of_a_models_own_format_is_left(mark: str) -> None:
    for text in (mark, f"So {mark} said", mark * 2, mark.lower()):
        assert (marks(said(text)), marks(line(text))) == ([], [])


@given(st.sampled_from(MARKS), st.lists(st.tuples(st.integers(0, 30), st.sampled_from(HIDING)), max_size=6), st.text())
def test_nothing_unseen_hides_a_mark(mark: str, hiding: list[tuple[int, str]], around: str) -> None:
    told = mark
    for place, hidden in hiding:
        told = told[:place] + hidden + told[place:]
    told = around[:5] + told + around[5:10]
    assert marks(shown(said(told))) == []
    assert marks(shown(line(told))) == []


@given(st.text(st.sampled_from(f"{HIDING}a1#é葛❤👩🏴ᠠ<|\uff5c \n")))
def test_what_is_visible_once_stays_so(text: str) -> None:
    told = said(text)
    assert UNSEEN.search(told) is None
    assert said(told) == told
    assert len(told.encode()) <= len(text.encode())


@pytest.mark.parametrize("hidden", HIDING)
def test_nothing_unseen_is_left_in_plain_words(hidden: str) -> None:
    assert (said(f"a{hidden}b {hidden}"), line(f"a{hidden}b {hidden}").replace(" ", "")) == ("ab ", "ab")


def test_no_message_is_hidden_in_the_forms_of_a_picture() -> None:
    assert said("👩" + "\ufe00\ufe01\ufe02\U000e0120\U000e0121") == "👩\ufe00"
    assert said("🏴\U000e0041\U000e0042 🏴\U000e0067\U000e0062\U000e0065") == "🏴 🏴"


@pytest.mark.parametrize("text", WHOLE)
def test_what_readers_see_as_one_stays_whole(text: str) -> None:
    assert said(text) == text
