"""HTML that cannot be broken by what stands in it: text is escaped unless it is HTML already."""

from datetime import UTC, datetime
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | None) -> Html:
    """An element. `class_` is its class; an attribute that is None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{inside(*children)}</{name}>")


def void(name: str, /, **attributes: str | None) -> Html:
    """An element that has no inside."""
    return Html(tag(name, **attributes).removesuffix(f"</{name}>"))


def inside(*children: str) -> Html:
    return Html("".join(one if isinstance(one, Html) else escape(one) for one in children))


def button(action: str, text: str, look: str = "plain", **values: str) -> Html:
    """A button that posts; `values` go with it."""
    hidden = [void("input", type="hidden", name=name, value=value) for name, value in values.items()]
    return tag("form", *hidden, tag("button", text, type="submit", class_=look), method="post", action=action)


def page(title: str, *body: str, wide: bool = False) -> str:
    """A whole page, with the ribbon that says what this is."""
    head = inside(
        void("meta", charset="utf-8"),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · test mode"),
        void("link", rel="stylesheet", href="/style.css"),
    )
    ribbon = tag("div", tag("strong", "TEST MODE"), " No money moves: this is a pretend Stripe.", class_="ribbon")
    main = tag("main", *body, class_="wide" if wide else "narrow")
    return f"<!doctype html>{tag('html', tag('head', head), tag('body', ribbon, main), lang='en')}"


def table(heads: list[str], rows: list[list[str]], nothing: str) -> Html:
    """A table, or a sentence where there is nothing to show."""
    if not rows:
        return tag("p", nothing, class_="dim")
    head = tag("tr", *(tag("th", one) for one in heads))
    lines = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", *lines)), class_="scroll")


def money(cents: int) -> str:
    return f"{'−' if cents < 0 else ''}${abs(cents) / 100:,.2f}"  # noqa: RUF001 (a minus, as people write it)


def day(moment: int | None) -> str:
    return "" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}"


def minute(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y, %H:%M} UTC"


def badge(word: str) -> Html:
    """A status, in the colour that it deserves."""
    good = ("active", "taken", "paid", "succeeded", "complete", "won", "trialing")
    bad = ("past_due", "failed", "canceled", "unpaid", "lost", "needs_response", "disputed", "incomplete", "void")
    look = "good" if word in good else "bad" if word in bad else "even"
    return tag("span", word.replace("_", " "), class_=f"badge {look}")
