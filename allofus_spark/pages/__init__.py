"""What the pages for people have in common: one look, numbers as text, and pictures as inline SVG.

A page of the report or of the variant browser is HTML that fetches nothing from elsewhere and runs no script.
"""

from allofus_spark.pages.numbers import count, decimal, frequency, p_value, percent, shortened
from allofus_spark.pages.svg import bar, colour_class, interval, stacked_bar
from allofus_spark.pages.templates import style_sheet, templates
from allofus_spark.pages.words import TERM_CLASSES, words

__all__ = [
    "TERM_CLASSES",
    "bar",
    "colour_class",
    "count",
    "decimal",
    "frequency",
    "interval",
    "p_value",
    "percent",
    "shortened",
    "stacked_bar",
    "style_sheet",
    "templates",
    "words",
]
