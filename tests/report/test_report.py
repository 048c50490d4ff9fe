"""The report says what the products hold, says what they lack, and holds no mark of a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.pages import p_value, percent
from allofus_spark.pages.plot import round_ticks
from allofus_spark.published import read_manifest, table_files
from allofus_spark.report import write_report
from allofus_spark.report.people import MOST_SQUARES
from allofus_spark.report.scans import MOST_MARKS, qq_points
from allofus_spark.tables.association_tables import QQ_EDGES
from benchmarks.synthetic import GROUPS, write_release

Rows = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def page(release: Path) -> str:
    return (release / "report" / "index.html").read_text(encoding="utf-8")


def text_of(page: str) -> str:
    """What a reader reads, tags left out."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def value_of(page: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd><span class=\"value[^\"]*\">([^<]*)</span>", page)
    assert found is not None, name
    return found[1]


def test_headline_numbers_are_those_of_the_products(page: str, rows: Rows) -> None:
    people = {row["ancestry"]: row["n_participants"] for row in rows("groups")}
    assert value_of(page, "Participants with genomes") == f"{people['all']:,}"
    share = next(
        row["share_under_represented"]
        for row in rows("representation")
        if (row["people"], row["category"], row["answer"]) == ("all", "any", "all")
    )
    assert value_of(page, "Under-represented") == percent(share)
    counts = next(
        row for row in rows("variant_counts") if (row["ancestry"], row["dimension"]) == ("all", "all")
    )
    assert value_of(page, "Variants") == f"{counts['n_variants']:,}"
    assert (
        value_of(page, "Not reported before")
        == f"{counts['n_unreported'] + counts['n_known_site_new_allele']:,}"
    )
    assert value_of(page, "Coding") == f"{counts['n_new_coding']:,}"
    known = [r for r in rows("replication_summary") if (r["known_in"], r["category"]) == ("any", "all")]
    assert value_of(page, "Known associations evaluated") == f"{sum(row['tested'] for row in known):,}"
    assert value_of(page, "Replicated") == f"{sum(row['replicated'] for row in known):,}"
    assert value_of(page, "Time to access") == "29 h"


def test_tables_beside_the_pictures_hold_every_row(page: str, rows: Rows) -> None:
    text = text_of(page)
    for row in rows("variant_counts"):
        if row["dimension"] == "frequency" and row["n_variants"]:
            assert f" {row['n_variants']:,} " in text
    for row in rows("representation"):
        if row["people"] == "all" and row["n_under_represented"] is not None:
            assert f"{row['n_under_represented']:,}" in text
    strongest = max(row["neg_log10_p"] for row in rows("meta_associations"))
    assert p_value(strongest) in text


def test_what_is_withheld_is_said_and_has_no_number(page: str) -> None:
    representation = page.split("Representation by category</h3>")[1].split("</table>")[0]
    (geography,) = [part for part in representation.split("<tr") if ">geography<" in part]
    assert "withheld" in geography
    groups = page.split('aria-label="Participants by ancestry group"')[1].split("</table>")[0]
    (unlabelled,) = [part for part in groups.split("<tr") if ">unlabelled<" in part]
    assert "withheld" in unlabelled
    assert not re.search(r">[\d,]+<", unlabelled)
    months = page.split('aria-label="Hours by month of registration"')[1].split("</table>")[0]
    assert "withheld" in next(part for part in months.split("<tr") if "2025-12" in part)


def test_no_mark_is_of_one_person(page: str, rows: Rows) -> None:
    """Of people the page draws the released squares, and nothing that there is one of for each."""
    drawn = sum(path.count("z") for path in re.findall(r'<path class="squares [^"]*"[^>]* d="([^"]*)"', page))
    density = rows("ancestry_density")
    assert drawn == len(density) <= 2 * MOST_SQUARES
    assert min(row["n_participants"] for row in density) > 20
    drawn_dots = [path.count("M") for path in re.findall(r'<path class="dots [^"]*" d="([^"]*)"', page)]
    assert drawn_dots
    assert min(drawn_dots) >= 1
    assert max(drawn_dots) <= MOST_MARKS
    assert page.count("<circle") == page.count("<script") == page.count("<image") == 0
    assert not re.search(r"(?:HG|NA)\d{5}|person_id|sample_id", page)


def test_the_page_is_small_and_fetches_nothing(page: str) -> None:
    assert len(page.encode()) < 1_000_000
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", page)
    assert "url(" not in page
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page


def test_the_same_release_gives_the_same_page(release: Path, page: str) -> None:
    path = write_report(release, read_manifest(release))
    assert path == release / "report" / "index.html"
    assert path.read_text(encoding="utf-8") == page
    assert [item.name for item in path.parent.iterdir()] == ["index.html"]


ALL_PRODUCTS = {
    "groups": "holds no sizes of ancestry groups",
    "representation": "holds no representation",
    "ancestry_density": "holds no density of ancestries",
    "variant_counts": "holds no numbers of variants by frequency",
    "replication_summary": "holds no replications",
    "access_times": "holds no times of access",
}


@pytest.mark.parametrize(
    "missing", [*ALL_PRODUCTS, "association_summaries", "phenotypes", "meta_associations"]
)
def test_a_missing_product_is_said(tmp_path: Path, missing: str) -> None:
    write_release(tmp_path, n_variants=800, without=[missing])
    text = text_of(write_report(tmp_path, read_manifest(tmp_path)).read_text(encoding="utf-8"))
    assert ALL_PRODUCTS.get(missing, "Release v8") in text
    others = [sentence for name, sentence in ALL_PRODUCTS.items() if name != missing]
    assert not any(sentence in text for sentence in others)


def test_a_release_of_variants_alone_has_a_report(tmp_path: Path) -> None:
    names = [
        path.name for path in (write_all(tmp_path / "all") / "tables").iterdir() if path.name != "variants"
    ]
    (tmp_path / "few").mkdir()
    write_release(tmp_path / "few", n_variants=800, without=names)
    page = write_report(tmp_path / "few", read_manifest(tmp_path / "few")).read_text(encoding="utf-8")
    assert page.count("not in this release") == 7
    assert "holds no associations" in text_of(page)


def write_all(folder: Path) -> Path:
    folder.mkdir()
    write_release(folder, n_variants=100)
    return folder


def test_empty_products_have_a_report(tmp_path: Path) -> None:
    write_all(tmp_path / "v8")
    for product in read_manifest(tmp_path / "v8").products:
        for path in table_files(tmp_path / "v8", product.name):
            pq.write_table(pq.read_schema(path).empty_table(), path)
    page = write_report(tmp_path / "v8", read_manifest(tmp_path / "v8")).read_text(encoding="utf-8")
    assert "holds no associations" in text_of(page)


def test_hostile_names_are_shown_as_they_are(tmp_path: Path) -> None:
    write_all(tmp_path / "v8")
    (path,) = table_files(tmp_path / "v8", "phenotypes")
    table = pq.read_table(path)
    hostile = "</title><script>alert(1)</script>"
    names = pa.array([hostile] * table.num_rows)
    pq.write_table(
        table.set_column(
            table.schema.get_field_index("description"), table.schema.field("description"), names
        ),
        path,
    )
    page = write_report(tmp_path / "v8", read_manifest(tmp_path / "v8")).read_text(encoding="utf-8")
    assert "<script" not in page
    assert hostile in unescape(page)


@given(st.lists(st.floats(0.001, 40), min_size=1, max_size=300))
def test_qq_points_are_those_of_a_sort(strengths: list[float]) -> None:
    """At each edge: how many tests are as strong or stronger, and what part of them chance gives."""
    edges = np.concatenate([[0.0], np.asarray(QQ_EDGES, float)])
    counts = np.zeros(len(edges), np.int64)
    for value in strengths:
        counts[np.searchsorted(edges, value, "left") - 1] += 1
    expected, observed = qq_points(counts)
    for there, edge in zip(expected, observed, strict=True):
        stronger = sum(value > edge for value in strengths)
        assert there == pytest.approx(-np.log10(stronger / len(strengths)))


@given(st.floats(1e-6, 1e6), st.integers(3, 9))
def test_ticks_are_few_round_and_cover_the_axis(highest: float, most: int) -> None:
    ticks = round_ticks(highest, most)
    assert 1 <= len(ticks) <= most + 1
    assert ticks[0] == 0
    assert ticks[-1] <= highest * (1 + 1e-6)
    if len(ticks) > 1:
        assert highest - ticks[-1] <= ticks[1] * (1 + 1e-6)


def test_groups_have_colours_of_their_own(page: str) -> None:
    legend = page.split("</h3>")[2].split('class="key"')[1].split("</ul>")[0]
    colours = re.findall(r'class="(g\d)"', legend)
    assert colours[: len(GROUPS)] == sorted(set(colours))[: len(GROUPS)]


def test_variants_that_were_not_judged_are_not_said_to_be_known(tmp_path: Path) -> None:
    """Nothing was judged; ancestries that nobody is of have no variants at all."""
    write_all(tmp_path / "v8")
    (path,) = table_files(tmp_path / "v8", "variant_counts")
    counts = [
        row
        | {name: 0 for name in row if name.startswith("n_")}
        | ({} if row["ancestry"] == "mid" else {"n_variants": 500, "n_not_flagged": 500})
        | {"n_coding": None, "n_new_coding": None}
        for row in pq.read_table(path).to_pylist()
    ]
    pq.write_table(pa.Table.from_pylist(counts, pq.read_schema(path)), path)
    page = write_report(tmp_path / "v8", read_manifest(tmp_path / "v8")).read_text(encoding="utf-8")
    assert "not judged against catalogues" in text_of(page)
    assert value_of(page, "Not reported before") == value_of(page, "Coding") == "not in this release"
    spectrum = page.split('aria-label="Variants by frequency"')[1].split("</table>")[0]
    assert ">afr<" in spectrum
    assert ">mid<" not in spectrum


@pytest.mark.parametrize(("threshold", "said"), [(5e-8, "5.00 × 10⁻⁸"), (1e-6, "1.00 × 10⁻⁶")])
def test_the_threshold_is_the_manifest_s(tmp_path: Path, threshold: float, said: str) -> None:
    write_all(tmp_path / "v8")
    manifest = read_manifest(tmp_path / "v8").model_copy(update={"genome_wide_p": threshold})
    text = text_of(write_report(tmp_path / "v8", manifest).read_text(encoding="utf-8"))
    assert f"with p under {said}: 20. The dashed line is p = {said}." in text
    assert (said == "5.00 × 10⁻⁸") == ("p = 5.00 × 10⁻⁸" in text)


def test_no_threshold_is_drawn_of_a_release_that_does_not_say_one(tmp_path: Path) -> None:
    write_all(tmp_path / "v8")
    manifest = read_manifest(tmp_path / "v8").model_copy(update={"genome_wide_p": None})
    page = write_report(tmp_path / "v8", manifest).read_text(encoding="utf-8")
    assert "with p under the threshold of the scan: 20." in text_of(page)
    assert "dashed line" not in page
    assert '<path class="limit"' not in page


def test_a_phenotype_is_shown_with_its_set(page: str) -> None:
    """A set's name may say that its phenotypes are simulated."""
    assert len(re.findall(r"<h3>[^<]+ \(synthetic\)</h3>", page)) == 3
    assert '<path class="limit"' in page
