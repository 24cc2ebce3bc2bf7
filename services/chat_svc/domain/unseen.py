"""What no reader sees in a text, and the marks of models' own formats, which it could hide."""

from __future__ import annotations

import re

TAGS = "\U000e0001\U000e0020-\U000e007f"
# The flags of England, Scotland and Wales.
FLAG = (
    "\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)"
    f"\U000e007f(?![{TAGS}])"
)

# Controls but tabs and line ends, what has no width or is a filler, changes of direction, notes between lines.
NEVER = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000\U000e0002-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
# What belongs to a character before it, or stands between two: choices of its form, and joiners.
FORMS, RARE_FORMS, MONGOLIAN, JOINERS = "\ufe00-\ufe0f", "\U000e0100-\U000e01ef", "\u180b-\u180f", "\u200c\u200d"

# Letters, marks and pictures of scripts that have forms and joiners, and no part of any mark below.
BASE = (
    f"[^\x00-\xbf{NEVER}{FORMS}{RARE_FORMS}{MONGOLIAN}{TAGS}"
    "\u2000-\u206f\u2581\u3000-\u3004\u3008-\u302f\uff00-\uff65\uffe0-\uffef]"
)
HAN = "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"

# Those of them that Python calls printable.
HIDDEN = re.compile(f"[\u034f\u115f\u1160\u17b4\u17b5{MONGOLIAN}\u3164\uffa0{FORMS}{RARE_FORMS}]")
# Most characters are none of these, which is known first.
UNSEEN = re.compile(
    f"(?=[{NEVER}{FORMS}{RARE_FORMS}{MONGOLIAN}{JOINERS}{TAGS}])(?:"
    + "|".join(
        (
            f"[{NEVER}]",
            # The form of a picture or a letter, or of a key: one of them.
            f"(?<!{BASE})(?<![\xa9\xae\u203c\u2049\u3030\u303d])(?<![0-9#*](?=\ufe0f\u20e3))[{FORMS}]",
            f"(?<!{HAN})[{RARE_FORMS}]",
            f"(?<![\u1820-\u18aa])[{MONGOLIAN}]",
            f"(?<!{BASE})(?<!{BASE}\ufe0f)[{JOINERS}]",
            f"[{JOINERS}](?!{BASE})",
            f"(?<![\U0001f3f4{TAGS}])[{TAGS}]+",
            f"(?<=\U0001f3f4)(?!{FLAG})[{TAGS}]+",
        )
    )
    + ")"
)

# With its brackets made round, none is a mark any more.
MARK = re.compile(
    r"<(?=[|\uff5c])|_of_turn>|<</?SYS>>|\[gMASK\]"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_[A-Z]+|CALL_ID|ARGS|THINK|IMG(?:_[A-Z]+)?)\]"
    r"|</?(?:s|bos|eos|pad|unk|mask|sop|eop|think|tool_calls?|tool_response)>|<(?:seed:|reserved_|unused)",
    re.IGNORECASE,
)
ROUND = str.maketrans("<>[]", "(())")


def visible(text: str) -> str:
    """A text without what no reader sees. Never longer."""
    # Nearly every text is only printable, which is known much faster.
    if text.replace("\n", " ").isprintable() and (text.isascii() or HIDDEN.search(text) is None):
        return text
    return UNSEEN.sub("", text)


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing of a text; the empty pattern of Braille is a space, too."""
    return not visible(text).replace("\u2800", " ").strip()


def unmarked(text: str) -> str:
    """A visible text in which no mark of a model's own format is left. Never longer."""
    if "<" not in text and "[" not in text and ">" not in text:
        return text
    return MARK.sub(lambda mark: mark.group().translate(ROUND), text)
