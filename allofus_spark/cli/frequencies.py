"""The command that counts."""

from __future__ import annotations

import click

from allofus_spark.cli.gate import demand_controlled, passport_option
from allofus_spark.cli.options import common_options, echo_counters, fail, open_warehouse


@click.command("frequencies")
@click.option("--samples", "samples_file", metavar="FILE", help="Count only these sample ids, one a line.")
@click.option("--out", metavar="FILE", help="With --samples: write a .tsv, .csv or .parquet file.")
@click.option("--table", metavar="NAME", help="With --samples: write the table frequencies_of_NAME.")
@click.option("--recompute", is_flag=True, help="Count all callsets anew, whether or not anything changed.")
@passport_option
@common_options
def frequencies_command(
    samples_file: str | None,
    out: str | None,
    table: str | None,
    recompute: bool,
    passport: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Count alleles by ancestry and sex, and compute allele frequencies.

    Writes strata, allele_counts and allele_frequencies of the callsets whose genotypes, labels or sexes
    changed; with --samples, answers for any set of samples without touching those tables. Frequencies of one
    sample are its genotypes: where access.enforce is set, --samples needs the Controlled tier and a passport
    that grants the data set.
    """
    from allofus_spark.cohort import read_sample_ids
    from allofus_spark.frequencies import compute_frequencies, write_subset_frequencies

    if (samples_file is None) != (out is None and table is None):
        fail("--samples goes with --out FILE or --table NAME")
    if samples_file is not None and recompute:
        fail("--recompute is about the tables of all samples; leave it out with --samples")
    with open_warehouse("frequencies", settings_file, warehouse, overrides) as tables:
        if samples_file is None:
            counters = compute_frequencies(tables, recompute=recompute)
            echo_counters(f"allele_frequencies of {tables.root} are computed", counters)
            return
        demand_controlled(tables, "frequencies --samples", passport, ["genotypes"])
        counters = write_subset_frequencies(tables, read_sample_ids(samples_file), file=out, table=table)
        echo_counters(f"frequencies are in {out or 'table frequencies_of_' + str(table)}", counters)
