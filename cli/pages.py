"""Lists that come in pages."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, cast

from google.protobuf.message import Message

PAGE_SIZE_MAX = 100
MORE = "There are more: --all shows them."


class Listing(Protocol):
    """A request for a list."""

    page_size: int
    page_token: str


Request = TypeVar("Request", bound=Listing)
Page = TypeVar("Page", bound=Message)


async def listed(call: Callable[[Request], Awaitable[Page]], request: Request, every: bool) -> Page:
    """The first page, or with `every` all pages as one."""
    if every:
        request.page_size = PAGE_SIZE_MAX
    pages = await call(request)
    while every and (token := cast("Any", pages).next_page_token):
        request.page_token = token
        pages.ClearField("next_page_token")
        pages.MergeFrom(await call(request))
    return pages
