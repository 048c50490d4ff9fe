"""Pictures as static HTML: one file that any browser opens, without a server or the net."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import LayoutDOM
from bokeh.models.widgets import Div
from bokeh.resources import INLINE
from pyspark.sql import SparkSession

from allofus_spark.hadoop import write_text

# Of each label at most so many marks: more make a file of many megabytes and cover each other.
MAX_MARKS = 5_000
# Okabe and Ito's colours, which colour-blind people can tell apart (Wong, Nat Methods 2011;8:441).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#999999", "#F0E442")
# Whatever a label says, the browser that shows a picture fetches nothing.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


def save_picture(spark: SparkSession, path: str, title: str, note: str, parts: Sequence[LayoutDOM]) -> None:
    """Write figures below each other, under a title and a note, to an HTML file on any Hadoop file system.

    Title and note are plain text, shown as they are.
    """
    shown = f"<h2>{escape(title)}</h2><p>{escape(note)}</p>"
    head = Div(text=shown, sizing_mode="stretch_width", disable_math=True)
    html = file_html(column(head, *parts, sizing_mode="stretch_width"), INLINE, title)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    write_text(spark, path, html.replace("<head>", f"<head>\n    {policy}", 1))
