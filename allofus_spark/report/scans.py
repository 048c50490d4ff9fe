"""Manhattan and QQ plots of the phenotypes with the strongest associations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from scipy.special import betaincinv

from allofus_spark.genome import build_from_text
from allofus_spark.pages import count, p_value
from allofus_spark.pages.plot import Tick, area, dots, line, plot, round_ticks
from allofus_spark.published import ALL
from allofus_spark.report.released import Released, Row
from allofus_spark.tables.association_tables import META, QQ_EDGES

# Phenotypes that are drawn, marks of one Manhattan plot (the strongest are kept), and peaks in its table.
MOST_PHENOTYPES, MOST_MARKS, MOST_PEAKS = 3, 5_000, 5
_COLUMNS, _LEVELS = 1_000, 250  # associations in one cell of so many are one mark
_PEAK_BASES = 1_000_000  # the strongest of so wide a stretch is its peak
_LABEL_SHARE = 0.03  # of the axis: contigs nearer to the last named one have no name
_BAND, _BAND_POINTS = 0.95, 60

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scan:
    """One phenotype, with its set in brackets: its plots, what they show in words, and its peaks."""

    name: str
    phenotype_id: str
    unit: str | None
    sentence: str
    manhattan: Markup
    qq: Markup | None
    qq_sentence: str
    peaks: list[Row]


def scans(released: Released) -> list[Scan]:
    """The phenotypes with the smallest p, by the meta-analysis where there is one, else of everybody."""
    source = _source(released)
    if source is None:
        return []
    product, where, ancestry = source
    strongest = released.rows(
        f"""
        SELECT scan, phenotype_id, max(neg_log10_p) AS most, count(*) AS shown FROM {product} WHERE {where}
        GROUP BY ALL ORDER BY most DESC, scan, phenotype_id LIMIT {MOST_PHENOTYPES}
        """
    )
    return [
        _scan(released, row, f"{product} WHERE {where} AND scan = ? AND phenotype_id = ?", ancestry, number)
        for number, row in enumerate(strongest)
    ]


def _source(released: Released) -> tuple[str, str, str] | None:
    """Product, condition and ancestry of what is drawn; None: nothing is released."""
    if released.has("meta_associations") and released.first("SELECT 1 FROM meta_associations LIMIT 1"):
        return "meta_associations", "true", META
    if not released.has("associations"):
        return None
    row = released.first("SELECT ancestry FROM associations ORDER BY ancestry <> ?, ancestry LIMIT 1", ALL)
    return None if row is None else ("associations", f"ancestry = '{row['ancestry']}'", row["ancestry"])


def _scan(released: Released, found: Row, source: str, ancestry: str, number: int) -> Scan:
    key = (found["scan"], found["phenotype_id"])
    described = None
    if released.has("phenotypes"):
        described = released.first(
            "SELECT description, unit, phenotype_set FROM phenotypes WHERE phenotype_id = ?", key[1]
        )
    summary = None
    if released.has("association_summaries"):
        summary = released.first(
            "SELECT * FROM association_summaries WHERE scan = ? AND phenotype_id = ? AND ancestry = ?",
            *key,
            ancestry,
        )
    name = key[1] if described is None else f"{described['description']} ({described['phenotype_set']})"
    peaks = _peaks(released, source, key)
    threshold = released.manifest.genome_wide_p
    sentence = _sentence(found, summary, ancestry, threshold)
    return Scan(
        name=name,
        phenotype_id=key[1],
        unit=None if described is None else described["unit"],
        sentence=sentence,
        manhattan=_manhattan(released, source, key, f"manhattan{number}", name, sentence),
        qq=None if summary is None else _qq(summary, f"qq{number}", name, found["most"]),
        qq_sentence=_qq_sentence(summary),
        peaks=peaks,
    )


def _sentence(found: Row, summary: Row | None, ancestry: str, threshold: float | None) -> str:
    whom = {META: "meta-analysis over ancestries", ALL: "everybody"}.get(ancestry, ancestry)
    text = f"{whom[0].upper()}{whom[1:]}: {count(found['shown'])} associations are shown"
    if threshold is None:
        under, dashed = "the threshold of the scan", ""
    else:
        under = p_value(-np.log10(threshold))
        dashed = f" The dashed line is p = {under}."
    if summary is None:
        return f"{text}.{dashed}"
    tested = f"of {count(summary['n_tested'])} variants tested"
    return f"{text} {tested}; with p under {under}: {count(summary['n_genome_wide'])}.{dashed}"


def _qq_sentence(summary: Row | None) -> str:
    if summary is None or summary["lambda_gc"] is None:
        return ""
    return (
        f"All tests, shown or not: genomic control λ is {summary['lambda_gc']:.3f}; 1 is what chance gives."
    )


def _manhattan(
    released: Released, source: str, key: tuple[str, str], name: str, title: str, sentence: str
) -> Markup:
    starts, whole = _axis(released, source, key)
    threshold = released.manifest.genome_wide_p
    limit = 0.0 if threshold is None else -np.log10(threshold)
    (strongest,) = released.rows(f"SELECT max(neg_log10_p) AS p FROM {source}", *key)
    most = 1.08 * max(strongest["p"], limit, 1.0)
    cells = released.rows(
        f"""
        SELECT contig, avg(position) AS position, max(neg_log10_p) AS p FROM {source}
        GROUP BY contig, position // {max(whole // _COLUMNS, 1)}, floor(neg_log10_p * {_LEVELS / most})
        ORDER BY p DESC, contig, position LIMIT {MOST_MARKS}
        """,
        *key,
    )
    marks = Markup("")
    for number, (contig, start) in enumerate(starts.items()):
        own = [
            ((start + row["position"]) / whole, row["p"] / most) for row in cells if row["contig"] == contig
        ]
        marks += dots(sorted(own), "odd" if number % 2 else "even")
    if limit:
        marks += line([(0, limit / most), (1, limit / most)], "limit")
    return plot(
        name,
        f"{title}: strength of association along the genome",
        sentence,
        marks,
        x_ticks=_contig_ticks(starts, whole),
        y_ticks=[(value / most, f"{value:g}") for value in round_ticks(most)],
        x_label="contig",
        y_label="−log₁₀ p",
    )


def _axis(released: Released, source: str, key: tuple[str, str]) -> tuple[dict[str, int], int]:
    """Where each contig with an association begins on the axis, in bases, and the length of all."""
    lengths = build_from_text(released.manifest.build).contig_lengths
    present = {
        row["contig"]: row["last"]
        for row in released.rows(f"SELECT contig, max(position) AS last FROM {source} GROUP BY contig", *key)
    }
    order = [name for name in lengths if name in present] + sorted(present.keys() - set(lengths))
    starts, at = {}, 0
    for name in order:
        starts[name] = at
        at += lengths.get(name, present[name])
    return starts, at


def _contig_ticks(starts: dict[str, int], whole: int) -> list[Tick]:
    ends = [*list(starts.values())[1:], whole]
    ticks: list[Tick] = []
    for (name, start), end in zip(starts.items(), ends, strict=True):
        middle = (start + end) / 2 / whole
        if not ticks or middle - ticks[-1][0] >= _LABEL_SHARE:
            ticks.append((middle, name.removeprefix("chr")))
    return ticks


def _peaks(released: Released, source: str, key: tuple[str, str]) -> list[Row]:
    return released.rows(
        f"""
        SELECT variant_id, contig, position, ref, alt, beta, se, neg_log10_p FROM {source}
        QUALIFY row_number() OVER (
          PARTITION BY contig, position // {_PEAK_BASES} ORDER BY neg_log10_p DESC, position, ref, alt
        ) = 1
        ORDER BY neg_log10_p DESC, contig, position LIMIT {MOST_PEAKS}
        """,
        *key,
    )


def _qq(summary: Row, name: str, title: str, most_shown: float) -> Markup | None:
    counts = np.array(summary["neg_log10_p_counts"], np.int64)
    expected, observed = qq_points(counts)
    if not len(expected):
        return None
    right, top = (
        1.05 * float(expected.max()),
        1.08 * max(float(observed.max()), most_shown, float(expected.max())),
    )
    x, low, high = _chance_band(int(counts.sum()))
    band = [*zip(x, low, strict=True), *reversed(list(zip(x, high, strict=True)))]
    side = min(right, top)
    marks = area([(a / right, b / top) for a, b in band if a <= right], "chance")
    marks += line([(0, 0), (side / right, side / top)], "grid")
    marks += dots(zip(expected / right, observed / top, strict=True), "even")
    tests = count(int(counts.sum()))
    sentence = f"{len(expected)} bins of {tests} tests; the grey band holds 95 % of what chance gives."
    return plot(
        name,
        f"{title}: observed against expected p",
        sentence,
        marks,
        x_ticks=[(value / right, f"{value:g}") for value in round_ticks(right, 5)],
        y_ticks=[(value / top, f"{value:g}") for value in round_ticks(top, 5)],
        x_label="expected −log₁₀ p",
        y_label="observed −log₁₀ p",
    )


def qq_points(counts: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Expected and observed −log10 p at the lower edges of the bins that hold tests.

    Of n tests, k with a p at an edge or less: k / n are expected there.

    >>> expected, observed = qq_points(np.array([90, 10] + [0] * 329))
    >>> expected.round(3).tolist(), observed.tolist()
    ([0.0, 1.0], [0.0, 0.005])
    """
    n = int(counts.sum())
    if not n:
        return np.zeros(0), np.zeros(0)
    at_least = n - np.concatenate([[0], np.cumsum(counts)[:-1]])
    held = counts > 0
    lower = np.concatenate([[0.0], np.asarray(QQ_EDGES, float)])
    return -np.log10(at_least[held] / n) + 0.0, lower[held]


def _chance_band(n: int) -> tuple[Floats, Floats, Floats]:
    """Expected −log10 p of the k smallest of n independent p, which are of Beta(k, n + 1 − k), and bounds."""
    k = np.unique(np.geomspace(1, n, _BAND_POINTS).round())
    tail = (1 - _BAND) / 2
    low, high = (-np.log10(betaincinv(k, n + 1 - k, p)) for p in (1 - tail, tail))
    return -np.log10((k - 0.5) / n), low, high
