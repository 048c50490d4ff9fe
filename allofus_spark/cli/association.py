"""The command that scans phenotypes for association with variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from allofus_spark.cli.options import common_options, fail, open_warehouse, region_options
from allofus_spark.cli.screen import grid, screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Row
    from rich.table import Table

    from allofus_spark.association import Associated

_NONE = "none"


@click.command("associate")
@click.option(
    "--phenotype", "phenotypes", metavar="ID", multiple=True, help="Phenotype; repeatable (default: all)."
)
@click.option("--phenotype-set", metavar="NAME", help="Only phenotypes of this set.")
@click.option(
    "--scan",
    metavar="NAME",
    default="default",
    show_default=True,
    help="Name of the scan, whose rows are replaced.",
)
@click.option(
    "--covariate",
    "covariates",
    metavar="NAME",
    multiple=True,
    help="sex, age, pc1, pc1-pc10, a column of --covariate-file, or a product such as age^2 or age*sex; "
    "several with commas between, or repeated; none: an intercept alone (default: association.covariates).",
)
@click.option("--covariate-file", metavar="FILE", help="TSV or CSV with sample_id or person_id, and numbers.")
@click.option(
    "--ancestry",
    "ancestries",
    metavar="GROUP",
    multiple=True,
    help="Ancestry to scan, repeatable; all: everybody together (default: every group but the unassigned).",
)
@click.option(
    "--samples", metavar="FILE", help="Only these sample ids, one a line, whatever is known of kinship."
)
@click.option("--assume-unrelated", is_flag=True, help="Take all samples for unrelated.")
@region_options
@click.option(
    "--variants", "variants_file", metavar="FILE", help="Only these variants, one a line: ids or rs numbers."
)
@click.option(
    "--pictures",
    metavar="ID",
    multiple=True,
    help="Phenotype to draw, repeatable; none: no picture (default: up to 20 with a genome-wide hit).",
)
@common_options
def associate_command(
    phenotypes: tuple[str, ...],
    phenotype_set: str | None,
    scan: str,
    covariates: tuple[str, ...],
    covariate_file: str | None,
    ancestries: tuple[str, ...],
    samples: str | None,
    assume_unrelated: bool,
    regions: tuple[str, ...],
    regions_file: str | None,
    variants_file: str | None,
    pictures: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Scan phenotypes for association with variants, by ancestry.

    Quantitative phenotypes by linear regression; binary ones by a score test, followed by Firth regression
    where p is small or the allele is rare. Ancestries are scanned each by itself among unrelated people, and
    brought together by a meta-analysis. Writes associations, meta_associations and association_summaries, and
    draws QQ and Manhattan plots in WAREHOUSE/registered/pictures/associations.

    \b
      allofus associate
      allofus associate --phenotype 250.2 --scan diabetes --region chr10:114000000-115000000
      allofus associate --phenotype-set labs --covariate sex,age,pc1-pc5 --ancestry all
      allofus associate --covariate-file batches.tsv --covariate age --covariate batch --assume-unrelated

    Sex is a covariate wherever variants on X are scanned. People who lack a covariate are left out of a
    phenotype and counted; covariates that are constant, or told by others, are left out of the model and
    named. A phenotype that cannot be scanned has a summary that says why.
    """
    from allofus_spark.association import Request, associate
    from allofus_spark.cohort import read_sample_ids

    if samples is not None and assume_unrelated:
        fail("give either --samples FILE or --assume-unrelated")
    with open_warehouse("associate", settings_file, warehouse, overrides) as tables:
        request = Request(
            scan=scan,
            phenotype_ids=phenotypes,
            phenotype_set=phenotype_set,
            covariates=_names(covariates),
            covariate_file=covariate_file,
            ancestries=ancestries,
            sample_ids=None if samples is None else read_sample_ids(samples),
            assume_unrelated=assume_unrelated,
            regions=regions,
            regions_file=regions_file,
            variants_file=variants_file,
            pictures=_names(pictures),
        )
        draw_associations(associate(tables, request), scan, screen())


def _names(given: Sequence[str]) -> list[str] | None:
    """Names with commas between; None: none was given, and an empty list where ``none`` was.

    >>> _names(()), _names(("none",)), _names(("age,sex", "pc1"))
    (None, [], ['age', 'sex', 'pc1'])
    """
    if not given:
        return None
    names = [name.strip() for text in given for name in text.split(",")]
    return [] if names == [_NONE] else [name for name in names if name]


def draw_associations(found: Associated, scan: str, console: Console) -> None:
    """Print the phenotypes with most hits, and where the rest is."""
    console.print(summary_table(f"Scan {scan}: phenotypes by hits and p", found.summaries))
    console.print("people: cases of those analysed; hits: p under association.genome_wide_p")
    question = (
        f"SELECT phenotype_id, ancestry, n, lambda_gc, n_genome_wide FROM association_summaries WHERE scan = "
        f"'{scan}'"
    )
    console.print(f'All of them: allofus query "{question}"', markup=False, soft_wrap=True)
    for path in found.pictures:
        console.print(f"Picture: {path}", markup=False, soft_wrap=True)


def summary_table(title: str, summaries: Sequence[Row]) -> Table:
    """Rows of association_summaries; with a column that says why, where one was not scanned."""
    from allofus_spark.regression.models import SCANNED

    numbers = ("people", "variants", "λGC", "hits", "best p")
    why = ["not scanned"] if any(row.status != SCANNED for row in summaries) else []
    table = grid(title, "phenotype", "ancestry", *numbers, *why, numbers=numbers)
    for row in summaries:
        reason = "" if row.status == SCANNED else row.status.replace("_", " ")
        table.add_row(
            Text(row.phenotype_id),
            row.ancestry,
            f"{row.n:,}" if row.n_cases is None else f"{row.n_cases:,} of {row.n:,}",
            f"{row.n_tested:,}",
            "" if row.lambda_gc is None else f"{row.lambda_gc:.3f}",
            f"{row.n_genome_wide:,}",
            p_value(row.max_neg_log10_p),
            *([reason] if why else []),
        )
    return table


def p_value(neg_log10_p: float | None) -> str:
    """A p-value at any size from its −log10; empty where there is none.

    >>> p_value(400.3), p_value(0.301), p_value(None)
    ('5.0e-401', '0.50', '')
    """
    if neg_log10_p is None:
        return ""
    if neg_log10_p < 2:
        return f"{10**-neg_log10_p:.2f}"
    exponent = int(-(-neg_log10_p // 1))
    mantissa = 10 ** (exponent - neg_log10_p)
    return f"{mantissa:.1f}e-{exponent:02d}"
