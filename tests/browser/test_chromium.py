"""Each page in a real browser: no complaint, nothing fetched from elsewhere, usable by keys alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Chromium

Rows = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def addresses(rows: Rows) -> dict[str, str]:
    variant = next(row for row in rows("variants") if row["gene_symbol"] and (row["max_af"] or 0) > 0.1)
    return {
        "home": "/",
        "variant": f"/variant/{variant['variant_id']}",
        "gene": f"/gene/{max(rows('genes'), key=lambda row: row['n_variants'])['gene_symbol']}",
        "region": "/region/1:1-9000000",
        "phenotypes": "/phenotypes",
        "phenotype": "/phenotype/250.2",
        "data": "/data",
        "report": "/report",
    }


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1300])
@pytest.mark.parametrize(
    "page", ["home", "variant", "gene", "region", "phenotypes", "phenotype", "data", "report"]
)
def test_a_page_is_whole(
    browser: Chromium, site: str, addresses: dict[str, str], page: str, width: int, dark: bool, tmp_path: Path
) -> None:
    seen = browser.open(site + addresses[page], width=width, dark=dark)
    assert seen.complaints == []
    assert all(address.startswith((site, "data:")) for address in seen.requests)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("document.querySelectorAll('script').length") == 0
    assert browser.value("document.querySelectorAll('h1').length") == 1
    unnamed = (
        "[...document.querySelectorAll('input, select, button, a')].filter(e => !(e.textContent.trim() || "
    )
    unnamed += "e.getAttribute('aria-label') || e.labels?.length || e.type === 'hidden')).length"
    assert browser.value(unnamed) == 0
    bars = "[...document.querySelectorAll('svg.bar rect:not(.ground)')]"
    bars += ".filter(e => e.getBoundingClientRect().width > 0.3)"
    if page in ("home", "variant", "phenotype", "report"):
        assert browser.value(f"{bars}.length") >= 3
    if page in ("gene", "region"):
        assert browser.value("document.querySelectorAll('svg.track rect').length") >= 3
    browser.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 5_000


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["home", "variant", "phenotype"])
def test_text_stands_out_from_what_is_behind_it(
    browser: Chromium, site: str, addresses: dict[str, str], page: str, dark: bool
) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    browser.open(site + addresses[page], dark=dark)
    lowest, text = browser.value(CONTRAST)
    assert lowest >= 4.5, text


def test_a_person_finds_a_variant_by_keys_alone(browser: Chromium, site: str, rows: Rows) -> None:
    variant = rows("variants")[5]["variant_id"]
    browser.open(site + "/")
    for _ in range(20):
        browser.press("Tab")
        if browser.value("document.activeElement.name") == "q":
            break
    browser.call("Input.insertText", text=variant)
    browser.press("Enter")
    browser.wait_until(f"location.pathname === '/variant/{variant}'")
    assert browser.value("document.querySelector('dl.about dd').textContent") == variant


def test_markup_in_a_search_stays_text(browser: Chromium, site: str) -> None:
    browser.open(site + "/search?q=%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D1%22%3E")
    assert browser.value("document.querySelectorAll('img').length") == 0
    assert "onerror" in browser.value("document.querySelector('main').textContent")
    assert browser.value("document.title").startswith("Not found")


CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= 10 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.map(linear); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  let lowest = [99, ''];
  for (const e of document.querySelectorAll('body *')) {
    const has = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!has || e.closest('svg, .skip, option')) continue;
    const a = light(parse(getComputedStyle(e).color).slice(0, 3)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < lowest[0]) lowest = [ratio, e.textContent.trim().slice(0, 60)];
  }
  return lowest;
})()"""
