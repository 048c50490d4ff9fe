"""What ``make demo`` runs: genotypes to frequencies by ancestry, associations seen again, and a release.

By default real calls of 2,504 people (`tools.demo_data`), of whom half also teach a model that then tells the
ancestry of the other half, to whom simulated health records are given (`tools.demo_associations`), and whose
summary data are released (`tools.demo_release`); with ``--simulate`` a cohort of four ancestries of any size
(`tools.simulate_cohort`). The jobs are those of the ``allofus`` command, run in one process so that Spark
starts once; the command for each is printed.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import Row
from rich import box
from rich.console import Console
from rich.table import Table

from allofus_spark.ancestry import project_samples, train_model, write_pictures
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.progress import show_progress, watch_tasks
from allofus_spark.query import run_query, warehouse_status
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.session import start_session
from allofus_spark.settings import BrowserSettings, load_settings
from allofus_spark.tables import Warehouse
from tools.cohort_files import BUILD, Cohort, read_samples
from tools.demo_associations import show_associations
from tools.demo_data import make_demo_data
from tools.demo_release import VERSION, show_release
from tools.simulate_cohort import add_size_options, simulate_cohort

ALLOFUS = ".venv/bin/allofus"
CALLSET, CALLSET_DATE = "demo", "2026-01-01"
# The textbook case of an allele that differs between continents (EDAR V370A: thicker hair, shovel-shaped
# incisors; risen by selection in East Asia), with its frequencies in the 1000 Genomes Project, phase 3.
EDAR_VARIANT_ID = "2-108897145-A-G"
EDAR_PUBLISHED = {"afr": 0.003, "amr": 0.39, "eas": 0.87, "eur": 0.01, "sas": 0.01}


class Demo(NamedTuple):
    """What is run, and where its tables go."""

    title: str
    cohort: Cohort
    root: Path


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    demo = _simulated(console, options) if options.simulate else _real(console)
    shutil.rmtree(demo.root, ignore_errors=True)  # the demo's own folder, made anew each time
    show_progress()
    settings = load_settings(warehouse=str(demo.root))
    spark = start_session(settings, app_name="allofus demo")
    with watch_tasks(spark):
        warehouse = Warehouse(spark, settings)
        run_jobs(console, warehouse, demo)
        if not options.simulate:
            infer_left_out(console, warehouse, demo)
            show_associations(console, warehouse, demo.cohort, partial(_say_command, console, demo))
        show_tables(console, warehouse)
        if options.simulate:
            title, published = "The variant that differs most between ancestries", {}
            row = most_differentiated(warehouse)
        else:
            title, published = "EDAR rs3827760, chr2:108897145 A>G", EDAR_PUBLISHED
            row = frequencies_of(warehouse, EDAR_VARIANT_ID)
        show_frequencies(console, title, row, published)
        release = None
        if not options.simulate:
            release = show_release(console, warehouse, partial(_say_command, console, demo))
    show_next_steps(console, demo, row, release)
    spark.stop()


def _real(console: Console) -> Demo:
    console.print("Real genotypes: 2,504 people of the 1000 Genomes Project (13 MB to fetch, the first time)")
    return Demo("1000 Genomes, exonic sites, GRCh38", make_demo_data(), Path("warehouse/demo"))


def _simulated(console: Console, options: argparse.Namespace) -> Demo:
    console.print(f"Simulated genotypes: {options.samples:,} people, {options.length:,} bases of chr22")
    folder = Path(".cache/simulated")
    cohort = simulate_cohort(folder, samples=options.samples, length=options.length, seed=options.seed)
    return Demo("simulated cohort, chr22, GRCh38", cohort, Path("warehouse/simulated"))


def run_jobs(console: Console, warehouse: Warehouse, demo: Demo) -> None:
    """Samples, genotypes and frequencies, each under the command that would do the same."""
    vcf, samples = demo.cohort
    _say_command(console, demo, f"ingest-samples --callset {CALLSET} {samples}")
    ingest_samples(warehouse, str(samples), callset_id=CALLSET, columns={})
    named = f"--callset {CALLSET} --date {CALLSET_DATE} --build {BUILD.name}"
    _say_command(console, demo, f"ingest-genotypes {named} {vcf}")
    ingest_genotypes(warehouse, [str(vcf)], callset_id=CALLSET, callset_date=CALLSET_DATE, build=BUILD.name)
    _say_command(console, demo, "frequencies")
    compute_frequencies(warehouse)


def infer_left_out(console: Console, warehouse: Warehouse, demo: Demo) -> None:
    """Relatives; then a model taught by every second person, asked for the ancestry of the others."""
    _say_command(console, demo, "relatedness")
    related = compute_relatedness(warehouse)
    pairs = [(name, n) for name, n in related.counters.items() if name.startswith("pairs_")]
    found = ", ".join(f"{n} {name.removeprefix('pairs_').replace('_', ' ')}" for name, n in pairs)
    console.print(f"Pairs of relatives by degree: {found}.")
    console.print(f"The largest set without any has {len(related.kept):,} people. Picture: {related.picture}")
    taught = sorted(person.sample_id for person in read_samples(demo.cohort.samples))[::2]
    half = demo.cohort.samples.with_name("every_second_person.txt")
    half.write_text("".join(f"{name}\n" for name in taught))
    _say_command(console, demo, f"infer-ancestry train --callset {CALLSET} --name half --samples {half}")
    train_model(warehouse, callset_id=CALLSET, name="half", sample_ids=taught)
    _say_command(console, demo, "infer-ancestry project")
    model_id, _ = project_samples(warehouse)
    for picture in write_pictures(warehouse, model_id):
        console.print(f"Picture: {picture}")
    show_left_out(console, warehouse)


def show_left_out(console: Console, warehouse: Warehouse) -> None:
    """How many of the people that the model was not taught by got the ancestry that they came with."""
    rows = run_query(
        warehouse,
        "SELECT l.supplied_ancestry AS supplied, count(*) AS people, "
        "count_if(a.ancestry = l.supplied_ancestry) AS same, count_if(a.ancestry = 'oth') AS unassigned "
        "FROM sample_labels l JOIN ancestries a USING (callset_id, sample_id) "
        "WHERE sample_id NOT IN (SELECT sample_id FROM ancestry_training) GROUP BY 1 ORDER BY 1",
    ).collect()
    table = Table(title="People whom the model had not seen", title_justify="left", box=box.SIMPLE)
    table.add_column("ancestry")
    for heading in ("people", "named so", "share", "not sure (oth)"):
        table.add_column(heading, justify="right")
    for row in rows:
        share = f"{row.same / row.people:.1%}"
        table.add_row(row.supplied, f"{row.people:,}", f"{row.same:,}", share, f"{row.unassigned:,}")
    console.print(table)


def _say_command(console: Console, demo: Demo, command: str) -> None:
    console.print(f"\n[bold]$ {ALLOFUS} {command} --warehouse {demo.root}[/bold]")


def show_tables(console: Console, warehouse: Warehouse) -> None:
    """The tables that there are now, with rows."""
    table = Table(title=f"Tables in {warehouse.root}", title_justify="left", box=box.SIMPLE)
    table.add_column("table")
    table.add_column("zone")
    table.add_column("rows", justify="right")
    table.add_column("MiB", justify="right")
    for status in warehouse_status(warehouse):
        table.add_row(status.name, status.zone, f"{status.rows:,}", f"{status.bytes / 2**20:.2f}")
    console.print()
    console.print(table)


def frequencies_of(warehouse: Warehouse, variant_id: str) -> Row:
    """The row of one variant in allele_frequencies."""
    return _one_row(warehouse, f"SELECT * FROM allele_frequencies WHERE variant_id = '{variant_id}'")


def most_differentiated(warehouse: Warehouse) -> Row:
    """The row whose frequency differs most between the simulated ancestries."""
    frequencies = "afr.af, amr.af, eas.af, eur.af"
    difference = f"greatest({frequencies}) - least({frequencies})"
    return _one_row(
        warehouse, f"SELECT * FROM allele_frequencies ORDER BY {difference} DESC, position LIMIT 1"
    )


def _one_row(warehouse: Warehouse, sql: str) -> Row:
    row = run_query(warehouse, sql).first()
    if row is None:
        raise SystemExit(f"no row for {sql}: the demo's input is not what it should be")
    return row


def show_frequencies(console: Console, title: str, row: Row, published: Mapping[str, float]) -> None:
    """One line an ancestry that has calls, beside the published frequency where there is one."""
    table = Table(title=f"{title} ({row.variant_id})", title_justify="left", box=box.SIMPLE)
    table.add_column("ancestry")
    for heading in ("AC", "AN", "AF", "faf95", "homozygotes", *(["published AF"] if published else [])):
        table.add_column(heading, justify="right")
    for name, group in row.asDict().items():
        # The groups and `overall` are the columns that hold counts; a group without calls has no frequency.
        if not isinstance(group, Row) or name in ("overall_xx", "overall_xy") or not group.an:
            continue
        numbers = [
            f"{group.ac:,}",
            f"{group.an:,}",
            f"{group.af:.4f}",
            f"{group.faf95:.4f}",
            f"{group.n_hom:,}",
        ]
        known = [f"{published[name]:g}" if name in published else ""] if published else []
        table.add_row(name, *numbers, *known)
    console.print(table)


def show_next_steps(console: Console, demo: Demo, row: Row, release: Path | None) -> None:
    """Commands to try on the tables that were made, and on the folder of the release, if there is one."""
    query = f"{ALLOFUS} query --warehouse {demo.root}"
    console.print("[bold]Where to look next[/bold]")
    for command, argument in (("status", ""), ("variant", row.variant_id), ("qc", "")):
        console.print(f"{ALLOFUS} {command} --warehouse {demo.root} {argument}".rstrip())
    pictures = sorted(Path(demo.root).glob("*/pictures/*.html"))
    if pictures:
        console.print(f"Pictures, for a browser: {' '.join(map(str, pictures))}")
    console.print(
        f'{query} "SELECT variant_id, max_af, max_af_group FROM allele_frequencies '
        'WHERE overall.ac > 0 ORDER BY max_af - overall.af DESC LIMIT 10"'
    )
    where = f"contig = '{row.contig}' AND position = {row.position}"
    console.print(f'{query} "SELECT * FROM variant_sites WHERE {where}"')
    console.print("docs/tables.md says what every column means.")
    if release is not None:
        console.print(f"The release's report, for a browser: {release / 'report' / 'index.html'}")
        console.print(f"{ALLOFUS} browse --warehouse {demo.root} --version {VERSION}")
        console.print(f"serves its variants at http://{BrowserSettings().host}:{BrowserSettings().port}/")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="From genotypes to allele frequencies by ancestry.")
    parser.add_argument("--simulate", action="store_true", help="a simulated cohort, not 1000 Genomes")
    add_size_options(parser, samples=1_000, length=2_000_000)
    return parser


if __name__ == "__main__":
    main()
