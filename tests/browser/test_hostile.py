"""Whatever is asked: a 4xx with a sentence, as page or as JSON, with nothing of it unescaped and no trace."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from allofus_spark.browser import create_app
from allofus_spark.settings import BrowserSettings
from tests.browser.asking import ask

MARKUP = "<img src=x onerror=alert(1)>"
INJECTIONS = [
    "' OR 1=1 --",
    '"; DROP TABLE variants; --',
    "1) UNION SELECT 1",
    MARKUP,
    "{{7*7}}",
    "${7*7}",
    "%(x)s",
]
PATHS = ["variant", "rs", "gene", "region", "phenotype", "files"]


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("page", PATHS)
def test_injected_text_is_refused_and_escaped(app: Starlette, page: str, text: str) -> None:
    answer = ask(app, f"/{page}/{quote(text, safe='')}")
    assert 400 <= answer.status < 500
    assert MARKUP not in answer.text
    assert "Traceback" not in answer.text
    assert "49" not in answer.text.split("<main")[1]
    as_json = ask(app, f"/{page}/{quote(text, safe='')}", accept="application/json")
    assert as_json.status == answer.status
    assert as_json.json["error"]["errorMessage"].endswith(".")


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("query", ["novelty", "consequence", "impact", "start"])
def test_injected_filters_are_refused(app: Starlette, query: str, text: str) -> None:
    for suffix in ("", ".json"):
        answer = ask(app, f"/region/1:1-1000{suffix}?{query}={quote(text, safe='')}")
        assert answer.status == 400
        assert MARKUP not in answer.text or suffix


@pytest.mark.parametrize("text", INJECTIONS)
def test_injected_searches_find_nothing_and_are_shown_escaped(app: Starlette, text: str) -> None:
    answer = ask(app, f"/search?q={quote(text, safe='')}")
    assert answer.status == 404
    assert MARKUP not in answer.text


@pytest.mark.parametrize(
    ("target", "status", "sentence"),
    [
        ("/variant/%ff%fe", 400, "not UTF-8"),
        ("/search?q=%c3%28", 400, "not UTF-8"),
        ("/variant/%00", 400, "cannot be shown"),
        ("/search?q=%1b%5b2J", 400, "cannot be shown"),
        ("/search?q=%e2%80%ae", 400, "cannot be shown"),
        ("/search?q=" + "A" * 3_000, 414, "longer than 2,048 bytes"),
        ("/search?q=" + "A" * 600, 400, "At most 500 letters"),
        ("/search", 400, "Write a variant"),
        ("/files/../manifest.json", 404, "no such file"),
        ("/files/..%2f..%2f..%2fetc%2fpasswd", 404, "no such file"),
        ("/files//etc/passwd", 404, "no such file"),
        ("/files/tables/variants/..%2f..%2fmanifest.json", 404, "no such file"),
        ("/region/1:1-200000000", 400, "at most 10,000,000"),
        ("/region/chr99:1-10", 400, "no contig"),
        ("/region/1:-5-10", 400, "no region"),
        ("/region/1:10-5", 400, "before its start"),
        ("/region/1:1e3-2e3", 400, "no position"),
        ("/region/1:١-٢", 400, "no position"),
        ("/variant/1-99999999999-A-G", 400, "no variant"),
        ("/variant/1-0-A-G", 404, "no variant"),
        ("/variant/1-9999999999-A-G", 404, "no variant"),
        ("/beacon/g_variants?referenceName=1&start=999999999999&end=999999999999", 400, "before its start"),
        ("/gene/NOPE", 404, "gene NOPE"),
        ("/rs/rs" + "9" * 40, 400, "no rs number"),
        ("/region/1:1-1000?start=-1", 400, "no row"),
        ("/region/1:1-1000?start=999999", 400, "would begin at row"),
        ("/nowhere", 404, "no such page"),
        ("//", 404, "no such page"),
        ("/variant/", 404, "no such page"),
    ],
)
def test_hostile_addresses(app: Starlette, target: str, status: int, sentence: str) -> None:
    answer = ask(app, target)
    assert answer.status == status
    assert sentence in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    as_json = ask(app, target, accept="application/json")
    assert (as_json.status, sentence in as_json.json["error"]["errorMessage"]) == (status, True)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "OPTIONS"])
def test_only_reading_is_answered(app: Starlette, method: str) -> None:
    assert ask(app, "/", method=method).status == 405


@settings(max_examples=300)
@given(
    st.sampled_from([*PATHS, "search", "beacon/g_variants"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.booleans(),
)
def test_no_text_makes_an_error_of_the_server(app: Starlette, page: str, text: str, as_query: bool) -> None:
    part = quote(text, safe="")
    target = f"/{page}?q={part}&start={part}&geneId={part}" if as_query else f"/{page}/{part}"
    answer = ask(app, target)
    assert answer.status < 500
    assert "Traceback" not in answer.text


def test_an_error_of_the_server_shows_no_trace(
    app: Starlette, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = app.state.site.opened
    broken = create_app(release, opened._index, BrowserSettings())

    def fail(*_: object) -> None:
        raise RuntimeError("secret of the server")

    monkeypatch.setattr(broken.state.site.opened, "variant", fail)
    answer = ask(broken, "/variant/1-5-A-G")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert "the log of the server" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
