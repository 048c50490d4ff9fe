"""Commands that judge quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from allofus_spark.cli.gate import may_name_people
from allofus_spark.cli.options import common_options, echo_counters, fail, open_warehouse
from allofus_spark.cli.screen import grid, percent, screen

if TYPE_CHECKING:
    from allofus_spark.qc import OutlierReport

_TESTED = "hardy_weinberg_"
_SHOWN_OUTLIERS = 5


@click.command("qc")
@click.option(
    "--unrelated",
    metavar="FILE",
    help="Sample ids, one a line, among whom Hardy-Weinberg is tested (default: whom relatedness kept).",
)
@click.option("--assume-unrelated", is_flag=True, help="Take all samples for unrelated.")
@click.option(
    "--catalogue-set",
    metavar="NAME",
    help="Count, for each sample, the alleles that no catalogue of this set has (see flag-novelty).",
)
@click.option("--recompute", is_flag=True, help="Judge everything anew, whether or not anything changed.")
@common_options
def qc_command(
    unrelated: str | None,
    assume_unrelated: bool,
    catalogue_set: str | None,
    recompute: bool,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Assess variants and samples: call rates, Hardy-Weinberg, ratios, inferred sex.

    Writes variant_qc and sample_qc of all active callsets, where something changed. Rows are flagged with
    reasons, never dropped, and no other job leaves flagged rows out. Where it is not known who is unrelated,
    by an option or from relatedness, Hardy-Weinberg columns are null.
    """
    from allofus_spark.cohort import read_sample_ids
    from allofus_spark.qc import compute_qc

    if unrelated is not None and assume_unrelated:
        fail("give either --unrelated FILE or --assume-unrelated")
    with open_warehouse("qc", settings_file, warehouse, overrides) as tables:
        chosen = None if unrelated is None else read_sample_ids(unrelated)
        counters = compute_qc(
            tables,
            unrelated=chosen,
            assume_unrelated=assume_unrelated,
            catalogue_set=catalogue_set,
            recompute=recompute,
        )
        others = {name: count for name, count in counters.items() if not name.startswith(_TESTED)}
        echo_counters(f"variant_qc and sample_qc of {tables.root} are computed", others)
        click.echo(told_of_hardy_weinberg(counters))


def told_of_hardy_weinberg(counters: Mapping[str, int]) -> str:
    """Among whom Hardy-Weinberg was tested, or why it was not.

    >>> told_of_hardy_weinberg({"hardy_weinberg_afr": 2000, "hardy_weinberg_eur": 0})
    'Hardy-Weinberg was tested among 2,000 unrelated samples by ancestry: afr 2,000.'
    >>> told_of_hardy_weinberg({"hardy_weinberg_afr": 0})[:73]
    'Hardy-Weinberg was not tested: no unrelated sample has an ancestry label.'
    """
    tested = {name.removeprefix(_TESTED): n for name, n in counters.items() if name.startswith(_TESTED)}
    if not tested:
        return (
            "Hardy-Weinberg was not tested: it is not known who is unrelated. Run allofus relatedness, or "
            "give --unrelated FILE, or --assume-unrelated where nobody is related."
        )
    if not any(tested.values()):
        return (
            "Hardy-Weinberg was not tested: no unrelated sample has an ancestry label. Give labels by "
            "allofus ingest-samples, or run allofus infer-ancestry."
        )
    named = ", ".join(f"{name} {n:,}" for name, n in tested.items() if n)
    return f"Hardy-Weinberg was tested among {sum(tested.values()):,} unrelated samples by ancestry: {named}."


@click.command("sample-outliers")
@common_options
def sample_outliers_command(
    settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]
) -> None:
    """Flag samples whose metrics are far from what their ancestry lets expect.

    Metrics of sample_qc are regressed on the PCs of ancestries, and residuals held against the median of the
    sample's ancestry, by qc.max_outlier_mads. Writes sample_outliers; no other job leaves outliers out.
    """
    from allofus_spark.qc import flag_sample_outliers, report_outliers

    with open_warehouse("sample-outliers", settings_file, warehouse, overrides) as tables:
        counters = flag_sample_outliers(tables)
        shown = _SHOWN_OUTLIERS if may_name_people(tables) else 0
        draw_outliers(counters, report_outliers(tables, most=shown), screen())


def draw_outliers(counters: Mapping[str, int], report: OutlierReport, console: Console) -> None:
    """Print how many samples are outliers, in which metric, which are farthest off, and what is not known."""
    from allofus_spark.qc import METRICS

    console.print(
        f"{counters['samples_outlying']:,} of {counters['samples']:,} samples are an outlier in at least one "
        "metric"
    )
    numbers = ("outliers", "assessed", "%", "not assessed")
    table = grid("By metric", "", *numbers, "because", numbers=numbers)
    for metric in METRICS:
        found, assessed = counters[f"outliers_{metric}"], counters[f"assessed_{metric}"]
        table.add_row(
            metric,
            f"{found:,}" if assessed else "not known",
            f"{assessed:,}",
            percent(found, assessed),
            f"{counters[f'not_assessed_{metric}']:,}",
            ", ".join(f"{reason} {n:,}" for reason, n in report.not_assessed.get(metric, {}).items()),
        )
    console.print(table)
    if not report.farthest:
        return
    farthest = grid("Farthest off", "callset", "sample", "metric", "MADs from the median", numbers=())
    for row in report.farthest:
        farthest.add_row(Text(row.callset_id), Text(row.sample_id), row.metric, f"{row.deviation_mads:+,.1f}")
    console.print(farthest)
    question = (
        "SELECT sample_id, metric, value, expected, deviation_mads FROM sample_outliers WHERE is_outlier "
        "ORDER BY abs(deviation_mads) DESC"
    )
    console.print(f'All of them: allofus query "{question}"', markup=False, soft_wrap=True)
