"""Files to print."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from services.chat_svc.archive.letters import BOLD, FONTS, Letter, lettered, loaded
from services.chat_svc.archive.wrapping import wrapped

MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN


@dataclass(frozen=True)
class Style:
    """How text looks: sizes in points, `before` the space above it, `grey` between black and white."""

    fonts: Sequence[str]
    size: float
    leading: float
    before: float = 0.0
    grey: float = 0.0


TITLE = Style(BOLD, 16, 21)
SMALL = Style(FONTS, 8.5, 15, grey=0.4)
NAME = Style(BOLD, 10.5, 15, before=4 * mm)
BODY = Style(FONTS, 10.5, 15)


def pdf(title: str, when: str, said: Sequence[tuple[str, str]]) -> bytes:
    """A conversation as PDF: what was `said` by whom. Takes time in proportion to the text."""
    loaded()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor("SceneMesh")
    pages = _Pages(canvas)
    pages.write(title, TITLE)
    pages.write(when, SMALL)
    for name, text in said:
        pages.write(name, NAME)
        pages.write(text, BODY)
    pages.end()
    canvas.save()
    return file.getvalue()


class _Pages:
    """Pages that are filled from the top."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._text: PDFTextObject = canvas.beginText()
        self._top = A4[1] - MARGIN

    def write(self, text: str, style: Style) -> None:
        """Writes a text below what is there; a name stands on the page of what its character says."""
        self._top -= style.before
        for line in text.splitlines():
            letters = lettered(" ".join(line.split()), style.fonts)
            for row in wrapped(letters, WIDTH / style.size * 1000):
                if self._top - style.leading * (2 if style is NAME else 1) < MARGIN:
                    self.end()
                self._write(row, style)

    def end(self) -> None:
        """Ends the page with its number."""
        self._canvas.drawText(self._text)
        self._canvas.setFont(FONTS[0], 8)
        self._canvas.drawRightString(A4[0] - MARGIN, 12 * mm, str(self._canvas.getPageNumber()))
        self._canvas.showPage()
        self._text = self._canvas.beginText()
        self._top = A4[1] - MARGIN

    def _write(self, row: Sequence[Letter], style: Style) -> None:
        self._top -= style.leading
        self._text.setTextOrigin(MARGIN, self._top)
        self._text.setFillGray(style.grey)
        for font, letters in groupby(row, key=lambda letter: letter.font):
            self._text.setFont(font, style.size)
            self._text.textOut("".join(letter.shown for letter in letters))
