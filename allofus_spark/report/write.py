"""The report: what is asked of the products, and the page that says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from allofus_spark.pages import style_sheet, templates
from allofus_spark.published import Manifest
from allofus_spark.report import access, alleles, people, replication
from allofus_spark.report.headline import headlines
from allofus_spark.report.released import Released, open_products
from allofus_spark.report.scans import scans

_PAGE = Path("report") / "index.html"


def write_report(release: Path, manifest: Manifest) -> Path:
    """Write ``report/index.html`` of a release from its Parquet files, and return its path.

    One file without scripts that fetches nothing. Products that the release lacks are named as missing. What
    is drawn is bounded (`people.MOST_SQUARES`, `scans.MOST_MARKS`), so that the page stays under a megabyte
    however large the release; DuckDB reads within 512 MiB.
    """
    with open_products(release, manifest) as released:
        values = _values(released)
    text = templates("allofus_spark.report").get_template("report.html").render(sheet=style_sheet(), **values)
    path = release / _PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _values(released: Released) -> dict[str, Any]:
    spectrum, novelty = alleles.spectrum(released), alleles.novelty(released)
    categories, replicated = people.representation(released), replication.replication(released)
    steps, months = access.waits(released)
    return {
        "manifest": released.manifest,
        "headlines": headlines(released),
        "categories": categories,
        "representation_sentence": people.representation_sentence(categories),
        "groups": people.groups(released),
        "planes": people.planes(released),
        "spectrum": spectrum,
        "spectrum_sentence": alleles.spectrum_sentence(spectrum),
        "novelty": novelty,
        "novelty_sentence": alleles.novelty_sentence(novelty),
        "consequences": alleles.consequences(released),
        "scans": scans(released),
        "replicated": replicated,
        "replication_sentence": replication.replication_sentence(replicated),
        "steps": steps,
        "months": months,
        "access_sentence": access.access_sentence(steps),
    }
