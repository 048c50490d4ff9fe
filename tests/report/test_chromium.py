"""The report from its file in a real browser: no complaint, no request, each picture with its marks drawn."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium

MARKS = """[...document.querySelectorAll('svg.plot')].map(
  svg => [...svg.querySelectorAll('path.dots, path.squares')]
    .filter(path => path.getBoundingClientRect().width > 20).length)"""
NAMES = """[...document.querySelectorAll('svg.plot')].map(
  svg => svg.getAttribute('aria-labelledby').split(' ')
    .map(id => document.getElementById(id).textContent).join(' '))"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1300])
def test_each_picture_is_drawn(browser: Chromium, release: Path, width: int, dark: bool) -> None:
    address = (release / "report" / "index.html").as_uri()
    seen = browser.open(address, width=width, dark=dark)
    assert seen.complaints == []
    assert [item for item in seen.requests if not item.startswith("data:")] == [address]
    marks = browser.value(MARKS)
    assert len(marks) == 8  # two planes; three phenotypes with two plots each
    assert min(marks) >= 1
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert all(len(name) > 30 for name in browser.value(NAMES))
    drawn = (
        "[...document.querySelectorAll('svg.bar')].filter(e => e.getBoundingClientRect().width > 60).length"
    )
    assert browser.value(drawn) > 40


def test_headings_and_tables_tell_what_they_are(browser: Chromium, release: Path) -> None:
    browser.open((release / "report" / "index.html").as_uri())
    levels = browser.value("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert browser.value("[...document.querySelectorAll('table')].filter(t => !t.caption).length") == 0
    assert browser.value("document.querySelectorAll('th:not([scope])').length") == 0
    # A figure stands beside or over a table of the same section.
    lone = "[...document.querySelectorAll('figure')]"
    lone += ".filter(f => !f.closest('section').querySelector('table')).length"
    assert browser.value(lone) == 0
    assert browser.value("document.documentElement.lang") == "en"
