"""The command that judges quality."""

from __future__ import annotations

import click

from allofus_spark.cli.options import common_options, echo_counters, fail, open_warehouse


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
