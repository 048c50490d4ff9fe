"""Plots as inline SVG: marks in a square of 1,000 by 1,000 that is stretched, and text that is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup, escape

SIDE = 1000.0
Tick = tuple[float, str]
_NARROW = 0.075  # of an axis: two labels that are nearer do not both fit on a telephone
_CLOSEST = 0.001  # of an axis: ticks nearer to its ends are not lines


def plot(
    name: str,
    title: str,
    text: str,
    marks: Markup,
    *,
    x_ticks: Sequence[Tick] = (),
    y_ticks: Sequence[Tick] = (),
    x_label: str = "",
    y_label: str = "",
    is_square: bool = False,
) -> Markup:
    """Marks with axes. ``name`` is unique on the page; ``text`` says for a screen reader what is seen.

    Ticks are (share of the axis from left or bottom, label).
    """
    lines = [
        f'<line class="grid" x1="0" x2="1000" y1="{y:.1f}" y2="{y:.1f}"/>'
        for y in (SIDE * (1 - share) for share, _ in y_ticks)
        if _CLOSEST < y / SIDE < 1 - _CLOSEST
    ]
    labels = [
        f'<text{kind} x="{100 * share:.2f}%" y="100%" dy="1.5em" text-anchor="middle">{escape(label)}</text>'
        for (share, label), kind in zip(x_ticks, _kinds(x_ticks), strict=True)
    ] + [
        f'<text x="0" dx="-.6em" y="{100 - 100 * share:.2f}%" dy=".32em" text-anchor="end">{escape(label)}'
        "</text>"
        for share, label in y_ticks
    ]
    kind = "plot square" if is_square else "plot"
    return Markup(
        f'<svg class="{kind}" role="img" aria-labelledby="{name}-title {name}-text">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(text)}</desc>'
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%" '
        f'overflow="visible">{"".join(lines)}'
        '<path class="frame grid" d="M0 0V1000H1000"/>'
        f"{marks}</svg>{''.join(labels)}"
        f'<text x="50%" y="100%" dy="3.1em" text-anchor="middle">{escape(x_label)}</text>'
        f'<text x="0" dx="-2.4em" y="0" dy="-.7em">{escape(y_label)}</text></svg>'
    )


def _kinds(ticks: Sequence[Tick]) -> Iterator[str]:
    """Which labels a narrow screen leaves out, as they would lie on those before."""
    last = -1.0
    for share, _ in ticks:
        is_minor = share - last < _NARROW
        yield ' class="minor"' if is_minor else ""
        last = last if is_minor else share


def dots(points: Iterable[tuple[float, float]], colour: str) -> Markup:
    """Round marks at shares (x from left, y from bottom), one path for all."""
    path = "".join(f"M{_short(SIDE * x)} {_short(SIDE * (1 - y))}h0" for x, y in points)
    return Markup(f'<path class="dots {escape(colour)}" d="{path}"/>') if path else Markup("")


def squares(
    corners: Iterable[tuple[float, float]], width: float, height: float, colour: str, opacity: float
) -> Markup:
    """Rectangles of one size at shares of their lower left corners, one path for all."""
    across, up = _short(SIDE * width), _short(SIDE * height)
    path = "".join(
        f"M{_short(SIDE * x)} {_short(SIDE * (1 - y))}h{across}v-{up}h-{across}z" for x, y in corners
    )
    return Markup(f'<path class="squares {escape(colour)}" fill-opacity="{opacity:g}" d="{path}"/>')


def line(points: Iterable[tuple[float, float]], colour: str) -> Markup:
    """A line through shares."""
    return Markup(f'<path class="{escape(colour)}" d="{_through(points)}"/>')


def area(points: Iterable[tuple[float, float]], colour: str) -> Markup:
    """The area within shares."""
    return Markup(f'<path class="{escape(colour)}" d="{_through(points)}z"/>')


def _through(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_short(SIDE * x)} {_short(SIDE * (1 - y))}" for x, y in points)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def round_ticks(highest: float, most: int = 6) -> list[float]:
    """Whole steps of 1, 2 or 5 times a power of ten from 0 to ``highest``.

    >>> round_ticks(9.3)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    step = 1e-9
    while highest / step > most:
        for factor in (2, 2.5, 2):
            step *= factor
            if highest / step <= most:
                break
    return [number * step for number in range(int(highest / step + 1e-9) + 1)]
