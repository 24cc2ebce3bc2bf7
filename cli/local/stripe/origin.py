"""Who may press a button: a page of this server's own, or no page at all."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def own_pages_only(request: web.Request, handler: Next) -> web.StreamResponse:
    """Refuses what another site's page sends: it may not press the buttons here."""
    if request.method == "POST":
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        foreign = site not in (None, "same-origin", "none")
        foreign |= site is None and origin is not None and urlsplit(origin).netloc != request.host
        if foreign:
            raise web.HTTPForbidden(text="Another site's page may not do that.\n")
    return await handler(request)
