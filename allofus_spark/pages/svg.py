"""Bars as inline SVG: shapes only, sized by their attributes, so that no style is needed beside the sheet.

The width of a bar is the page's to choose: shapes are stretched, what there is to read is text beside them.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

_WIDTH = 1000  # units across a bar
_COLOURS = 8
_LEAST = 3.0  # units: what is more than nothing is seen
_BAR = (
    '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
)


def colour_class(number: int) -> str:
    """The sheet's colour of the group of a number, counted from 0."""
    return f"g{number % _COLOURS}"


def _across(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0) * _WIDTH:.1f}".removesuffix(".0")


def bar(share: float | None, colour: str = "g0") -> Markup:
    """A bar of a share of the whole width; None: nothing is known, and nothing drawn but the ground."""
    parts = ['<rect class="ground" width="1000" height="10"/>']
    if share:
        width = _across(max(share, _LEAST / _WIDTH))
        parts.append(f'<rect class="{escape(colour)}" width="{width}" height="10"/>')
    return Markup(f"{_BAR}{''.join(parts)}</svg>")


def stacked_bar(shares: Iterable[tuple[float, str]]) -> Markup:
    """Shares of one whole beside each other, each with its class of colour."""
    at, parts = 0.0, ['<rect class="ground" width="1000" height="10"/>']
    for share, colour in shares:
        if share > 0:
            parts.append(
                f'<rect class="{escape(colour)}" x="{_across(at)}" width="{_across(share)}" height="10"/>'
            )
        at += share
    return Markup(f"{_BAR}{''.join(parts)}</svg>")


def interval(low: float, middle: float, high: float, colour: str = "g0") -> Markup:
    """An interval with a mark at its middle; each a share of the whole width."""
    width = _across(max(high - low, _LEAST / _WIDTH))
    return Markup(
        f'{_BAR}<rect class="ground" width="1000" height="10"/>'
        f'<rect class="{escape(colour)}" x="{_across(low)}" y="2" width="{width}" height="6" />'
        f'<rect class="middle" x="{_across(middle)}" width="6" height="10"/></svg>'
    )
