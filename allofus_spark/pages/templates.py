"""The environment that makes pages of templates: everything that a page shows is escaped."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files

import jinja2

from allofus_spark.pages import numbers, svg
from allofus_spark.pages.words import words

_FILTERS = {
    "count": numbers.count,
    "decimal": numbers.decimal,
    "percent": numbers.percent,
    "frequency": numbers.frequency,
    "p_value": numbers.p_value,
    "shortened": numbers.shortened,
    "words": words,
    "bar": svg.bar,
    "exp": math.exp,
    "stacked_bar": lambda parts: svg.stacked_bar((part.share, part.colour) for part in parts),
}


def templates(package: str) -> jinja2.Environment:
    """Templates of a package's folder ``templates``; an unknown name in one is an error, not empty."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(_FILTERS)
    return environment


@cache
def style_sheet() -> str:
    """The sheet that every page has."""
    return (files("allofus_spark.pages") / "data" / "style.css").read_text(encoding="utf-8")
