"""Answers: pages by templates, JSON, and refusals as whichever of the two was asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from allofus_spark.browser.asked import Refused
from allofus_spark.browser.beacon import API_VERSION
from allofus_spark.browser.site import Site
from allofus_spark.pages import templates

JSON_SUFFIX = ".json"
_TEMPLATES = templates("allofus_spark.browser")
_CACHED = {"cache-control": "public, max-age=300"}
_TITLES = {404: "Not found", 405: "Not answered", 414: "Too long"}


def site_of(request: Request) -> Site:
    """The release that the application shows."""
    return request.app.state.site  # type: ignore[no-any-return]


def name_asked(request: Request) -> str:
    """The last part of the address, without .json."""
    return str(request.path_params["name"]).removesuffix(JSON_SUFFIX)


def page(request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """A page of a template, which is given ``values``, the ``site``, and what was ``asked`` for."""
    asked = request.query_params.get("q", "")
    text = _TEMPLATES.get_template(template).render(site=site_of(request), asked=asked, **values)
    return HTMLResponse(text, status, headers=_CACHED if status == 200 else {})


def as_json(content: Mapping[str, Any], status: int = 200) -> Response:
    """JSON of plain values; numbers that JSON does not have are text."""
    try:
        text = _dumped(content)
    except ValueError:
        text = _dumped(_plain(content))
    headers = _CACHED if status == 200 else {}
    return Response(text, status, headers=headers, media_type="application/json")


def _dumped(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def wants_json(request: Request) -> bool:
    """Whether JSON was asked for: by the address, or by the Accept header alone."""
    path = request.scope["path"]
    accept = request.headers.get("accept", "")
    return bool(
        path.endswith(JSON_SUFFIX)
        or path == "/beacon"
        or path.startswith("/beacon/")
        or ("application/json" in accept and "text/html" not in accept)
    )


def refusal(request: Request, refused: Refused) -> Response:
    """The answer to what is refused: a sentence, as page or in the shape of a Beacon's error."""
    if wants_json(request):
        error = {"errorCode": refused.status, "errorMessage": str(refused)}
        return as_json({"meta": {"apiVersion": API_VERSION}, "error": error}, refused.status)
    title = _TITLES.get(refused.status, "Not understood" if refused.status < 500 else "Something went wrong")
    return page(request, "refused.html", {"title": title, "sentence": str(refused)}, refused.status)
