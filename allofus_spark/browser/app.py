"""The application: routes, refusals, and the limit on how many requests are worked on at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from allofus_spark.browser.answers import refusal
from allofus_spark.browser.asked import Refused
from allofus_spark.browser.beacon_queries import BEACON
from allofus_spark.browser.guard import Guard
from allofus_spark.browser.opened import OpenRelease
from allofus_spark.browser.pages import PAGES
from allofus_spark.browser.site import Site
from allofus_spark.settings import BrowserSettings

# Requests that a process works on at once: Python makes one page at a time, more would wait for each other.
_AT_ONCE = 4


def create_app(release: Path, index: Path, settings: BrowserSettings) -> Starlette:
    """The browser of a release, over its index, which `prepare` makes."""
    app = Starlette(
        routes=[Route(path, answer) for path, answer in (PAGES | BEACON).items()],
        middleware=[Middleware(Guard)],
        exception_handlers={Refused: _refuse, HTTPException: _refuse_http},
        lifespan=_few_at_once,
    )
    app.router.redirect_slashes = False  # it would redirect to whatever host the request names
    app.state.site = Site(OpenRelease(release, index, settings))
    return app


@asynccontextmanager
async def _few_at_once(_: Starlette) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = _AT_ONCE
    yield


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(request, error)


def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = "There is no such page." if error.status_code == 404 else "The request cannot be answered."
    return refusal(request, Refused(error.status_code, sentence))
