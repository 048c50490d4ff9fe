"""Pictures: what a hostile text can do in one, and that it needs no net."""

from __future__ import annotations

import re
from pathlib import Path

from bokeh.plotting import figure
from pyspark.sql import SparkSession

from allofus_spark.pictures import save_picture


def test_texts_are_shown_as_they_are_and_nothing_is_fetched(spark: SparkSession, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    plot = figure(title=hostile, x_range=[hostile, "b"], width=300, height=300)
    plot.vbar(x=[hostile], top=[1], legend_label=hostile)
    path = tmp_path / "a b%20c" / "p.html"
    save_picture(spark, str(path), f"title {hostile}", f"note {hostile}", [plot])
    text = path.read_text()
    assert "<img" not in text.split("</head>")[1]
    assert "<script>alert" not in text
    # The browser makes HTML of a Div: once for the file, and once more for the Div.
    assert "note &amp;lt;img src=x onerror=alert(1)&amp;gt;" in text
    assert not re.findall(r"<(?:script|link)[^>]* (?:src|href)=", text)
    assert text.index("default-src 'none'") < text.index("<script")
    assert len(text) < 3_000_000
