"""What every request must be, and every answer has, whatever page is asked for."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allofus_spark.browser.answers import refusal
from allofus_spark.browser.asked import Refused

_LOG = logging.getLogger(__name__)
# Longer addresses than this are nobody's question.
MOST_BYTES = 2_048
POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Refuses what no page can answer before it is read, and gives every answer its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(message.get("headers", []))
            await send(message)

        try:
            check(scope)
        except Refused as refused:
            answer: Response = refusal(Request(scope), refused)
            await answer(scope, receive, send_with_headers)
            return
        await self._answered(scope, receive, send_with_headers)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's answer; what fails in it is in the log, and not in the answer."""
        try:
            await self._app(scope, receive, send)
        except Exception:
            _LOG.exception("the page %r could not be made", scope["path"])
            refused = Refused(500, "The page could not be made; the log of the server says why.")
            await refusal(Request(scope), refused)(scope, receive, send)


def check(scope: MutableMapping[str, Any]) -> None:
    """Raise Refused for a method, a length or bytes that no page takes."""
    if scope["method"] not in ("GET", "HEAD"):
        raise Refused(405, "Pages are read here: only GET and HEAD are answered.")
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    if len(path) + len(query) > MOST_BYTES:
        raise Refused(414, f"The address is longer than {MOST_BYTES:,} bytes.")
    for part in (path, query):
        try:
            text = unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            raise Refused(400, "The address is not UTF-8.") from None
        if not all(letter.isprintable() for letter in text):
            raise Refused(400, "The address has characters that cannot be shown.")


def _with_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = {name for name, _ in headers}
    added = ((name.encode(), value.encode()) for name, value in _HEADERS.items())
    return [*headers, *(pair for pair in added if pair[0] not in given)]
