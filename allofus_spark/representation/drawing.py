"""The picture of representation: bars by category, and how the cohort grew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.models import BasicTicker, DataRange1d, FactorRange, LinearAxis, NumeralTickFormatter, Range1d
from bokeh.plotting import figure
from pyspark.sql import SparkSession

from allofus_spark.pictures import COLOURS, save_picture
from allofus_spark.representation.linkage import Linkage
from allofus_spark.representation.rows import RepresentationRow
from allofus_spark.tables.person_tables import (
    ALL_ANSWERS,
    ANY,
    CATEGORIES,
    EVERYBODY,
    INTERNAL,
    TOTAL,
    UNKNOWN_MONTH,
    WITH_GENOMES,
    WITHOUT_GENOMES,
)

_SHARES = {
    "under_represented": ("under-represented", COLOURS[3]),
    "not": ("not under-represented", COLOURS[0]),
    "unknown": ("unknown, though asked", COLOURS[6]),
    "not_asked": ("not asked", "#DDDDDD"),
}
_TITLES = {
    EVERYBODY: "Everybody",
    WITH_GENOMES: "People with genomes",
    WITHOUT_GENOMES: "People without genomes",
}
_WIDTH, _HEIGHT = 900, 380


def draw_representation(
    spark: SparkSession,
    path: str,
    rows: Sequence[RepresentationRow],
    linkage: Mapping[str, Linkage],
    definitions_version: str,
) -> None:
    """Write the picture of rows of ``representation``, and of records where somebody has such."""
    whole = [row for row in rows if row.answer == ALL_ANSWERS]
    parts = [
        _bars([row for row in whole if (row.people, row.enrolment_month) == (people, TOTAL)], title)
        for people, title in _TITLES.items()
    ]
    parts.append(_curve([row for row in whole if (row.people, row.category) == (EVERYBODY, ANY)]))
    if any(group.n_linked for group in linkage.values()):
        parts.append(_years(linkage))
    note = (
        "Shares of people under-represented in biomedical research, by definitions "
        f"{definitions_version}; any: in at least one category. {INTERNAL.capitalize()}."
    )
    save_picture(spark, path, f"Representation ({INTERNAL})", note, parts)


def _bars(rows: Sequence[RepresentationRow], title: str) -> figure:
    """Stacked shares of each category; no bar where there are no people."""
    n_people = max((row.n_people for row in rows), default=0)
    by_category = {row.category: row for row in rows}
    names = [name for name in (ANY, *CATEGORIES) if name in by_category]
    shares = [_shares(by_category[name]) for name in names]
    bars = figure(
        title=f"{title}, n = {n_people:,} ({INTERNAL})",
        y_range=FactorRange(factors=names[::-1]),
        x_range=Range1d(start=0, end=1),
        width=_WIDTH,
        height=_HEIGHT,
        toolbar_location=None,
    )
    bars.hbar_stack(
        list(_SHARES),
        y="category",
        height=0.8,
        color=[colour for _, colour in _SHARES.values()],
        legend_label=[label for label, _ in _SHARES.values()],
        source={"category": names, **{key: [share[key] for share in shares] for key in _SHARES}},
    )
    bars.xaxis.formatter = NumeralTickFormatter(format="0 %")
    bars.add_layout(bars.legend[0], "right")
    return bars


def _years(linkage: Mapping[str, Linkage]) -> figure:
    """Quartiles of the years of records, by group of people."""
    groups = {_TITLES[people]: found for people, found in linkage.items() if found.n_linked}
    names = [f"{title}, n = {found.n_linked:,} of {found.n_people:,}" for title, found in groups.items()]
    years = figure(
        title=f"Years of health records of people with such: median and quartiles ({INTERNAL})",
        y_range=FactorRange(factors=names[::-1]),
        x_range=DataRange1d(start=0),
        width=_WIDTH,
        height=_HEIGHT // 2,
        toolbar_location=None,
    )
    first, median, third = (
        [found.quartiles[place] for found in groups.values() if found.quartiles] for place in range(3)
    )
    years.hbar(y=names, left=first, right=third, height=0.5, color=COLOURS[0], fill_alpha=0.4)
    years.scatter(median, names, marker="dash", angle=1.5708, size=30, line_width=3, color=COLOURS[3])
    years.xaxis.axis_label = "years from the first to the last record"
    return years


def _shares(row: RepresentationRow) -> dict[str, float]:
    """Shares of its people by what is known of them, which add up to 1; zeros of nobody."""
    counts = {
        "under_represented": row.n_under_represented,
        "not": row.n_not,
        "unknown": row.n_unknown - row.n_not_asked,
        "not_asked": row.n_not_asked,
    }
    return {key: n / row.n_people if row.n_people else 0.0 for key, n in counts.items()}


def _curve(rows: Sequence[RepresentationRow]) -> figure:
    """People enrolled to date, and the share of them that is under-represented in any category."""
    dated = [row for row in rows if row.n_people_to_date is not None]
    months = [dt.datetime.strptime(row.enrolment_month, "%Y-%m") for row in dated]
    people = [row.n_people_to_date or 0 for row in dated]
    undated = sum(row.n_people for row in rows if row.enrolment_month == UNKNOWN_MONTH)
    curve = figure(
        title=f"Enrolment by month ({INTERNAL})",
        x_axis_type="datetime",
        x_range=DataRange1d(default_span=dt.timedelta(days=365)),  # of a single month
        y_range=Range1d(start=0, end=1.05 * max(people, default=1)),
        width=_WIDTH,
        height=_HEIGHT,
        toolbar_location=None,
    )
    if undated:
        curve.xaxis.axis_label = f"People without a date of enrolment, who are not in the curve: {undated:,}"
    curve.yaxis.axis_label = "people to date"
    curve.yaxis.formatter = NumeralTickFormatter(format="0,0")
    curve.yaxis.ticker = BasicTicker(min_interval=1)  # people come whole
    curve.extra_y_ranges = {"share": Range1d(start=0, end=1.05)}
    curve.add_layout(LinearAxis(y_range_name="share", axis_label="share under-represented"), "right")
    curve.yaxis[-1].formatter = NumeralTickFormatter(format="0 %")
    shares = [row.share_under_represented_to_date or 0.0 for row in dated]
    label = "share of them under-represented in any category"
    of_people: dict[str, Any] = {"color": COLOURS[0], "legend_label": "people to date"}
    of_shares: dict[str, Any] = {"color": COLOURS[3], "legend_label": label, "y_range_name": "share"}
    for values, look in ((people, of_people), (shares, of_shares)):
        # Both stay as they are over months without enrolment; a single month is a mark.
        curve.step(months, values, mode="after", line_width=2, **look)
        curve.scatter(months, values, size=4, **look)
    curve.add_layout(curve.legend[0], "below")
    return curve
