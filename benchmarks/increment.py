"""``make bench-increment``: what one contig's callset costs a nightly run, beside a run of everything.

A warehouse of 22 contigs is brought up to date; a callset of other people comes, with alleles on one contig;
the night after it is timed, its bytes are added up, and both are held against a warehouse in which the same
callsets are new. Both must end with the same tables.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table as Grid

from allofus_spark.ingest import ingest_catalogue, ingest_genotypes, ingest_samples
from allofus_spark.pipeline import run_nightly
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse, allele_frequencies, contracts
from benchmarks.wide_cohort import GENOTYPES, wide_people
from tools.cohort_files import Cohort, Site, bgzip_file, cell_table, vcf_header, write_records, write_samples

DATA = Path("benchmarks/data")
CONTIGS = tuple(f"chr{number}" for number in range(1, 23))
ADDED_CONTIG = "chr7"
BUILD = "GRCh38"
_FIRST, _SPACING = 20_000_001, 1_000
_ROWS = 500
# Of these every row belongs to a contig.
_BY_CONTIG = ("allele_counts", "allele_frequencies", "variant_qc", "novelty")


class Cost(NamedTuple):
    """Seconds of a night, and bytes of data files that it wrote, by table."""

    seconds: float
    bytes_by_table: Mapping[str, int]

    @property
    def bytes(self) -> int:
        return sum(self.bytes_by_table.values())


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        folder = Path(scratch)
        rng = np.random.default_rng(options.seed)
        console.print(f"writing {options.samples:,} samples × 22 contigs × {options.variants:,} variants")
        first = write_callset(folder, "first", CONTIGS, options.samples, options.variants, rng)
        second = write_callset(folder, "second", [ADDED_CONTIG], options.samples, options.variants, rng)
        spark = start_session(load_settings(warehouse=str(folder)), app_name="increment")
        warm = _warehouse(spark, folder / "warm", {"first": second})  # compiles what both nights run
        _night(warm)
        grown = _warehouse(spark, folder / "grown", {"first": first})
        _night(grown)
        _add(grown, "second", second)
        added = _night(grown)
        anew = _warehouse(spark, folder / "anew", {"first": first, "second": second})
        everything = _night(anew)
        _show(console, added, everything)
        problems = differences(grown, anew) + too_much(added, everything)
        spark.stop()
    for problem in problems:
        console.print(problem, markup=False)
    sys.exit(bool(problems))


def write_callset(
    folder: Path, name: str, contigs: Sequence[str], samples: int, variants: int, rng: np.random.Generator
) -> Cohort:
    """Random calls; people of different names have different ids, alleles of a contig the same places."""
    people, _ = wide_people(samples, rng)
    people = [person._replace(sample_id=f"{name}-{person.sample_id}") for person in people]
    cohort = Cohort(folder / f"{name}.vcf.gz", folder / f"{name}.tsv")
    write_samples(cohort.samples, people)
    cells = cell_table(GENOTYPES)
    with bgzip_file(cohort.vcf) as stream:
        stream.write(vcf_header(list(contigs), people, source="random calls"))
        for contig in contigs:
            for begin in range(0, variants, _ROWS):
                rows = range(begin, min(begin + _ROWS, variants))
                sites = [Site(contig, _FIRST + _SPACING * row, "A", "G") for row in rows]
                calls = rng.choice(4, size=(len(rows), samples), p=(0.8, 0.15, 0.04, 0.01)).astype(np.uint8)
                write_records(stream, sites, calls, cells)
    return cohort


def _warehouse(spark: SparkSession, root: Path, callsets: Mapping[str, Cohort]) -> Warehouse:
    """A warehouse with callsets, and the first one's sites as a catalogue."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(root)))
    for name, cohort in callsets.items():
        _add(warehouse, name, cohort)
    vcf = str(callsets["first"].vcf)
    ingest_catalogue(warehouse, [vcf], name="known", version="1", build=BUILD)
    return warehouse


def _add(warehouse: Warehouse, name: str, cohort: Cohort) -> None:
    ingest_samples(warehouse, str(cohort.samples), callset_id=name)
    ingest_genotypes(warehouse, [str(cohort.vcf)], callset_id=name, callset_date="2026-01-01", build=BUILD)


def _night(warehouse: Warehouse) -> Cost:
    before = _versions(warehouse)
    begun = time.monotonic()
    night = run_nightly(warehouse)
    seconds = time.monotonic() - begun
    if not night.is_well:
        raise SystemExit("; ".join(f"{each.step.name}: {each.message}" for each in night.results))
    written = {name: _bytes_since(warehouse, name, before.get(name, -1)) for name in _versions(warehouse)}
    return Cost(seconds, {name: n for name, n in written.items() if n})


def _versions(warehouse: Warehouse) -> dict[str, int]:
    states = {table.name: warehouse.state(table) for table in contracts(warehouse.settings)}
    return {name: state.version for name, state in states.items() if state is not None}


def _bytes_since(warehouse: Warehouse, name: str, version: int) -> int:
    """Bytes of the data files that commits after a version added."""
    total = 0
    log = Path(warehouse.local_path(warehouse.contract(name)), "_delta_log")
    for commit in log.glob("*.json"):
        if int(commit.stem) > version:
            actions = map(json.loads, commit.read_text().splitlines())
            total += sum(action["add"]["size"] for action in actions if "add" in action)
    return total


def _show(console: Console, added: Cost, everything: Cost) -> None:
    table = Grid(title=f"A night after a callset on {ADDED_CONTIG}, and of everything", title_justify="left")
    for heading in ("", "one contig came", "everything", "share"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row(
        "seconds",
        f"{added.seconds:.1f}",
        f"{everything.seconds:.1f}",
        f"{added.seconds / everything.seconds:.0%}",
    )
    for name in ("all tables", *sorted(everything.bytes_by_table)):
        one = added.bytes if name == "all tables" else added.bytes_by_table.get(name, 0)
        all_ = everything.bytes if name == "all tables" else everything.bytes_by_table[name]
        table.add_row(f"bytes, {name}", f"{one:,}", f"{all_:,}", f"{one / all_:.0%}")
    console.print(table)


def too_much(added: Cost, everything: Cost) -> list[str]:
    """A sentence for each table by contig of which more was written than twice the share of a contig.

    Twice, as the contig has the alleles of both callsets and the others those of one.
    """
    most = 2 * 2 / (len(CONTIGS) + 1)
    return [
        f"{name}: {added.bytes_by_table.get(name, 0):,} of {everything.bytes_by_table[name]:,} bytes written "
        f"for one contig of {len(CONTIGS)}"
        for name in _BY_CONTIG
        if added.bytes_by_table.get(name, 0) > most * everything.bytes_by_table[name]
    ]


def differences(one: Warehouse, other: Warehouse) -> list[str]:
    """A sentence for each table whose rows differ."""
    names = [*_BY_CONTIG, "sample_qc", "variant_summary", "variants", "unrelated"]
    groups = one.settings.frequencies.ancestry_groups
    tables = [
        allele_frequencies(groups) if name == "allele_frequencies" else one.contract(name) for name in names
    ]
    found = []
    for table in tables:
        left, right = (
            warehouse.read(table).drop("strata_id").selectExpr("to_json(struct(*)) AS row")
            for warehouse in (one, other)
        )
        n_differ = left.exceptAll(right).count() + right.exceptAll(left).count()
        if n_differ:
            found.append(f"{table.name}: {n_differ:,} rows differ between the two warehouses")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--variants", type=int, default=2_000, help="of each contig")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    main()
