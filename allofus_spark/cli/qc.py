"""Commands that judge quality."""

from __future__ import annotations

from collections.abc import Mapping

import click
from rich.console import Console

from allofus_spark.cli.options import common_options, echo_counters, fail, open_warehouse
from allofus_spark.cli.screen import grid, percent, screen


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
@common_options
def qc_command(
    unrelated: str | None,
    assume_unrelated: bool,
    catalogue_set: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Assess variants and samples: call rates, Hardy-Weinberg, ratios, inferred sex.

    Writes variant_qc and sample_qc for all active callsets. Rows are flagged with reasons, never dropped, and
    no other job leaves flagged rows out. Where it is not known who is unrelated, by an option or from
    relatedness, Hardy-Weinberg columns are null.
    """
    from allofus_spark.cohort import read_sample_ids
    from allofus_spark.qc import compute_qc

    if unrelated is not None and assume_unrelated:
        fail("give either --unrelated FILE or --assume-unrelated")
    with open_warehouse("qc", settings_file, warehouse, overrides) as tables:
        chosen = None if unrelated is None else read_sample_ids(unrelated)
        counters = compute_qc(
            tables, unrelated=chosen, assume_unrelated=assume_unrelated, catalogue_set=catalogue_set
        )
        echo_counters(f"variant_qc and sample_qc of {tables.root} are computed", counters)


@click.command("sample-outliers")
@common_options
def sample_outliers_command(
    settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]
) -> None:
    """Flag samples whose metrics are far from what their ancestry lets expect.

    Metrics of sample_qc are regressed on the PCs of ancestries, and residuals held against the median of the
    sample's ancestry, by qc.max_outlier_mads. Writes sample_outliers; no other job leaves outliers out.
    """
    from allofus_spark.qc import flag_sample_outliers

    with open_warehouse("sample-outliers", settings_file, warehouse, overrides) as tables:
        draw_outliers(flag_sample_outliers(tables), screen())


def draw_outliers(counters: Mapping[str, int], console: Console) -> None:
    """Print how many samples are outliers, and in which metric."""
    from allofus_spark.qc import METRICS

    console.print(
        f"{counters['samples_outlying']:,} of {counters['samples']:,} samples are an outlier in at least one "
        "metric"
    )
    numbers = ("outliers", "assessed", "%", "not assessed")
    table = grid("By metric", "", *numbers, numbers=numbers)
    for metric in METRICS:
        found, assessed = counters[f"outliers_{metric}"], counters[f"assessed_{metric}"]
        table.add_row(
            metric,
            f"{found:,}" if assessed else "not known",
            f"{assessed:,}",
            percent(found, assessed),
            f"{counters[f'not_assessed_{metric}']:,}",
        )
    console.print(table)
