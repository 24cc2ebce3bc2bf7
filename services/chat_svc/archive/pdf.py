"""Files to print.

Letters come from the first of our fonts that has them: Noto Sans (Latin, Greek, Cyrillic), FiraGO (Arabic, Hebrew,
Thai, Georgian, Devanagari), Cascadia (arrows, boxes, braille); Chinese, Japanese and Korean from the fonts that every
viewer brings. Emoji have none: a box stands for them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from xml.sax.saxutils import escape

import pymupdf_fonts
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from services.chat_svc.archive.readable import speaker
from services.chat_svc.domain.conversation import Conversation, Message, State

FONTS = ("notos", "figo", "cascadia")
BOLD = "notosbo"
MISSING = "□"
MARGIN = 20 * mm

HANGUL, KANA = ((0x1100, 0x11FF), (0xAC00, 0xD7AF)), ((0x3040, 0x30FF), (0x31F0, 0x31FF))
HAN = ((0x2E80, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF))

BODY = ParagraphStyle("body", fontName="notos", fontSize=10.5, leading=15, alignment=TA_LEFT, splitLongWords=1)
NAME = ParagraphStyle("name", parent=BODY, fontName=BOLD, spaceBefore=4 * mm)
TITLE = ParagraphStyle("title", parent=BODY, fontName=BOLD, fontSize=16, leading=21)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=8.5, textColor=HexColor("#666666"))


def pdf(conversation: Conversation, messages: Sequence[Message], names: Mapping[str, str]) -> bytes:
    """The branch as PDF; `names` are the characters' display names. Takes tenths of a second a page."""
    _fonts()
    parts = [
        Paragraph(_marked(conversation.display_name), TITLE),
        Paragraph(f"{conversation.created_at:%Y-%m-%d %H:%M} UTC", SMALL),
        Spacer(1, 4 * mm),
    ]
    for message in messages:
        parts.append(Paragraph(_marked(speaker(message, names)), NAME))
        cut = " […]" if message.state is State.FAILED else ""
        parts += [Paragraph(_marked(line), BODY) for line in f"{message.text}{cut}".splitlines() if line.strip()]
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=conversation.display_name,
        author="SceneMesh",
        invariant=1,
    )
    document.build(parts, onFirstPage=_numbered, onLaterPages=_numbered)
    return file.getvalue()


@cache
def _fonts() -> Mapping[str, frozenset[int]]:
    """The letters that each of our fonts has."""
    letters = {}
    for name in (*FONTS, BOLD):
        font = TTFont(name, io.BytesIO(pymupdf_fonts.myfont(name)))
        pdfmetrics.registerFont(font)
        letters[name] = frozenset(font.face.charToGlyph)
    for name in ("STSong-Light", "HeiseiMin-W3", "HYSMyeongJo-Medium"):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return letters


def _marked(text: str) -> str:
    """The text as markup that names the font of every run of letters."""
    east = _eastern(text)
    runs = groupby(text, key=lambda letter: _font(letter, east))
    return "".join(_run(name, "".join(letters)) for name, letters in runs)


def _run(name: str | None, letters: str) -> str:
    if name is None:
        return f'<font name="{FONTS[-1]}">{MISSING * len(letters)}</font>'
    return escape(letters) if name == FONTS[0] else f'<font name="{name}">{escape(letters)}</font>'


def _font(letter: str, east: str) -> str | None:
    code = ord(letter)
    if letter.isspace():
        return FONTS[0]
    if _within(code, (*HANGUL, *KANA, *HAN)):
        return east
    return next((name for name in FONTS if code in _fonts()[name]), None)


def _eastern(text: str) -> str:
    """Han characters look as they do in the language around them."""
    codes = {ord(letter) for letter in text}
    if any(_within(code, KANA) for code in codes):
        return "HeiseiMin-W3"
    return "HYSMyeongJo-Medium" if any(_within(code, HANGUL) for code in codes) else "STSong-Light"


def _within(code: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _numbered(canvas: object, document: object) -> None:
    page = canvas.getPageNumber()  # type: ignore[attr-defined]
    canvas.setFont("notos", 8)  # type: ignore[attr-defined]
    canvas.drawRightString(A4[0] - MARGIN, 12 * mm, str(page))  # type: ignore[attr-defined]
