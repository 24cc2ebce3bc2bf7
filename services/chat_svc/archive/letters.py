"""Letters to print with: which of our fonts has one, and how wide it is.

Noto Sans has Latin, Greek and Cyrillic; FiraGO Arabic, Hebrew, Thai, Georgian and Devanagari; Cascadia arrows, boxes
and braille; IPAex Gothic Japanese. Chinese that it has not, and Korean, come from the fonts that every viewer brings.
Emoji have none: a box stands for them.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import pymupdf_fonts
from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

FONTS = ("notos", "figo", "cascadia")
BOLD = ("notosbo", *FONTS)
MISSING = "□"
JAPANESE, KOREAN, CHINESE = "ipaexg", "HYSMyeongJo-Medium", "STSong-Light"
# A package that draws diagrams with it, and is not imported.
JAPANESE_FILE = ("matplotlib_fontja", "fonts/ipaexg.ttf")

# More than a language writes with.
REMEMBERED_MAX = 20_000

HANGUL, KANA = ((0x1100, 0x11FF), (0xAC00, 0xD7AF)), ((0x3040, 0x30FF), (0x31F0, 0x31FF))
HAN = ((0x2E80, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF))


@dataclass(frozen=True)
class Letter:
    """One letter as it is printed: `width` in thousandths of the size. A line may break around an `eastern` one."""

    shown: str
    font: str
    width: float
    eastern: bool = False


# What shows nothing: joiners, variations, controls.
NOTHING = Letter("", FONTS[0], 0)


def lettered(text: str, fonts: Sequence[str]) -> list[Letter]:
    """The letters of a text, each from the first of the fonts that has it."""
    if text.isascii():
        return [_letter(one, fonts, CHINESE) for one in text]
    east = _east(text)
    return [_letter(one, fonts, east) for one in text]


@lru_cache(REMEMBERED_MAX)
def _letter(letter: str, fonts: Sequence[str], east: str) -> Letter:
    code, known = ord(letter), loaded()
    if _within(code, (*HANGUL, *KANA, *HAN)):
        east = CHINESE if east == JAPANESE and code not in known[JAPANESE] else east
        return _wide(letter, east, eastern=not _within(code, HANGUL))
    if unicodedata.category(letter) in ("Cc", "Cf") or 0xFE00 <= code <= 0xFE0F:
        return NOTHING
    found = next((name for name in fonts if code in known[name]), None)
    return _wide(letter, found) if found is not None else _wide(MISSING, FONTS[-1])


def _wide(letter: str, font: str, *, eastern: bool = False) -> Letter:
    return Letter(letter, font, pdfmetrics.stringWidth(letter, font, 1000), eastern)


@cache
def loaded() -> Mapping[str, frozenset[int]]:
    """The letters that each font that a file brings has, once the fonts are known to what prints."""
    # Half as large again, and slow to write, for the sake of programs that spoil what is not plain text.
    rl_config.useA85 = 0
    fonts = [TTFont(name, io.BytesIO(pymupdf_fonts.myfont(name))) for name in (BOLD[0], *FONTS)]
    fonts.append(TTFont(JAPANESE, _japanese()))
    for font in (*fonts, UnicodeCIDFont(KOREAN), UnicodeCIDFont(CHINESE)):
        pdfmetrics.registerFont(font)
    return {font.fontName: frozenset(font.face.charToGlyph) for font in fonts}


def _japanese() -> str:
    """Where the Japanese font is."""
    package, file = JAPANESE_FILE
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    return str(Path(spec.origin).parent / file)


def _east(text: str) -> str:
    """Han characters look as they do in the language around them.

    By themselves they look Japanese as far as all can: what a file brings, everybody sees.
    """
    codes = {ord(letter) for letter in set(text)}
    if any(_within(code, HANGUL) for code in codes):
        return KOREAN
    kana = any(_within(code, KANA) for code in codes)
    return JAPANESE if kana or all(code in loaded()[JAPANESE] for code in codes if _within(code, HAN)) else CHINESE


def _within(code: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in ranges)
