"""Who may talk to the page: the browser on this machine, and no other site open in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

NAMES = ("127.0.0.1", "localhost")
"""What a browser on this machine calls us; the port may be another if it is forwarded."""

FROM_HERE = ("same-origin", "none")
"""What browsers say of a request by the page itself, and of an address that was typed."""


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse foreign names (DNS rebinding) and foreign sites; harden every answer."""
    if not is_ours(request):
        raise web.HTTPForbidden(text="This page talks to itself only.\n", headers=HEADERS)
    try:
        response = await handler(request)
    except web.HTTPException as exc:
        exc.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


def is_ours(request: web.Request) -> bool:
    """Tell whether a request names this machine, and comes from its page if it says from where."""
    host = request.headers.get(hdrs.HOST, "")
    if host.rpartition(":")[0] not in NAMES:
        return False
    if request.method == hdrs.METH_GET and request.path == "/":
        return True  # a link to the page may stand anywhere; it opens, and tells nobody anything
    origin = request.headers.get(hdrs.ORIGIN, f"http://{host}")
    return origin == f"http://{host}" and request.headers.get("Sec-Fetch-Site", "none") in FROM_HERE
