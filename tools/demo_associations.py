"""From SIMULATED health records of the demo's genomes to known associations that are seen again.

The part of the demo that follows ancestry and relatives: `tools.demo` calls `show_associations`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import Row
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from allofus_spark.association import Associated, Request, associate
from allofus_spark.cli.association import summary_table
from allofus_spark.cli.replication import draw_replication
from allofus_spark.phenotypes import build_measurements, build_phecodes, ingest_omop
from allofus_spark.query import run_query
from allofus_spark.replication import ingest_known_associations, replicate
from allofus_spark.representation import ingest_persons_from_omop
from allofus_spark.tables import Warehouse
from tools.cohort_files import Cohort
from tools.health_records import KNOWN_FILE, LDL_EFFECTS, make_health_records
from tools.omop_files import CODE_FILE, TRAIT_FILE, HealthRecords

# Their names say what they are wherever they are shown.
DISEASES, TRAITS = "simulated_diseases", "simulated_traits"
MAP, MAP_VERSION = "demo", "1"
_Z_95 = 1.96
_SHOWN = 12  # rows of a scan
_LDL = "ldl_cholesterol"

Say = Callable[[str], None]


def show_associations(console: Console, warehouse: Warehouse, cohort: Cohort, say: Say) -> None:
    """Records, phenotypes, a scan, and what is known held against it; ``say`` prints the command of each."""
    records = make_health_records(cohort, cohort.vcf.parent / "health_records")
    console.print(
        "\n[bold]The health records that follow are SIMULATED.[/bold] Of these people nothing but genomes is "
        "known. Diseases are given to them by chance, each to a third of the people, more often to those who "
        "carry what is known to raise the risk, by the published odds ratios."
    )
    read_records(warehouse, records, say)
    show_catalogue(console, warehouse)
    # Before the scan, which then stores the rows of known associations whatever their p is.
    say(f"ingest-known-associations --name {MAP} --version {MAP_VERSION} {_shown(KNOWN_FILE)}")
    ingest_known_associations(warehouse, KNOWN_FILE, name=MAP, version=MAP_VERSION)
    say("associate")
    show_scan(console, associate(warehouse, Request()))
    show_planted(console, warehouse)
    say("replicate")
    draw_replication(replicate(warehouse, scan="default"), console)


def read_records(warehouse: Warehouse, records: HealthRecords, say: Say) -> None:
    """Tables of the CDM and whose samples are whose, persons, diseases and a trait."""
    say(f"ingest-omop --person-samples {_shown(records.links)} {_shown(records.omop)}")
    ingest_omop(warehouse, [str(records.omop)], person_samples=str(records.links))
    say("ingest-persons --from-omop")
    ingest_persons_from_omop(warehouse)
    say(f"build-phenotypes --name {DISEASES} --phecode-map {_shown(CODE_FILE)}")
    build_phecodes(warehouse, [str(CODE_FILE)], name=DISEASES)
    say(f"build-phenotypes --name {TRAITS} --measurements {_shown(TRAIT_FILE)}")
    build_measurements(warehouse, str(TRAIT_FILE), name=TRAITS)


def show_catalogue(console: Console, warehouse: Warehouse) -> None:
    """People by phenotype."""
    rows = run_query(
        warehouse,
        "SELECT d.phenotype_id, d.description, c.n_cases, c.n_controls, c.n_excluded, c.n_measured, c.mean, "
        "c.sd, d.unit FROM phenotype_catalogue c JOIN phenotype_definitions d USING (phenotype_id) "
        "WHERE c.ancestry = 'all' ORDER BY d.kind, d.phenotype_id",
    ).collect()
    table = _table("Phenotypes (simulated)", "phenotype", "", "cases", "controls", "neither")
    for row in rows:
        if row.n_cases is not None:
            counts = (f"{n:,}" for n in (row.n_cases, row.n_controls, row.n_excluded))
            table.add_row(row.phenotype_id, _cut(row.description), *counts)
    console.print(table)
    for row in rows:
        if row.n_measured:
            of_people = f"{row.mean:.0f} ± {row.sd:.0f} {row.unit} of {row.n_measured:,} people"
            console.print(f"{row.phenotype_id} (simulated): {of_people}", markup=False)


def show_scan(console: Console, found: Associated) -> None:
    """The phenotypes with most hits, and the folder of their pictures."""
    console.print(summary_table("Phenotypes (simulated) by hits and p", found.summaries[:_SHOWN]))
    if found.pictures:
        folder = found.pictures[0].rpartition("/")[0]
        console.print(f"{len(found.pictures)} pictures: {folder}", markup=False)


def show_planted(console: Console, warehouse: Warehouse) -> None:
    """What was planted beside what the scan finds of it, over all ancestries (meta_associations)."""
    table = _table(
        "Planted effects (simulated), and what the scan says over all ancestries",
        *("variant", "phenotype", "planted", "found", "95 % interval", "off by"),
    )
    far = 0
    effects = planted_effects(warehouse)
    for row in effects:
        z = off_by(row)
        far += abs(z) > _Z_95
        values = (row.planted, row.beta, row.beta - _Z_95 * row.se, row.beta + _Z_95 * row.se)
        is_odds_ratio = row.phenotype_id != _LDL
        planted, found, low, high = (f"{math.exp(x):.2f}" if is_odds_ratio else f"{x:+.1f}" for x in values)
        table.add_row(row.rsid, _cut(row.description), planted, found, f"{low} to {high}", f"{z:+.1f} se")
    console.print(table)
    console.print(
        f"{len(effects) - far} of {len(effects)} planted effects lie in the 95 % interval of what was found; "
        f"{0.95 * len(effects):.0f} or so are to be expected."
    )


def planted_effects(warehouse: Warehouse) -> list[Row]:
    """Rows of (rsid, phenotype_id, description, planted, se, beta), by copy of the risk allele, or of alt.

    Effects on diseases are log odds ratios, those on LDL cholesterol mg/dL.
    """
    known = run_query(
        warehouse,
        "SELECT k.rsid, k.phenotype_id, k.description, ln(k.odds_ratio) AS planted, m.se, "
        "CASE WHEN k.risk_allele_dir = 'alt' THEN m.beta ELSE -m.beta END AS beta "
        "FROM known_associations k JOIN meta_associations m USING (contig, position, ref, alt, phenotype_id) "
        f"WHERE k.map_name = '{MAP}' AND m.scan = 'default' ORDER BY k.phenotype_id, k.rsid",
    ).collect()
    planted = ", ".join(
        f"('{contig}', {position}, '{ref}', '{alt}', {mg_per_dl}D)"
        for key, mg_per_dl in LDL_EFFECTS.items()
        for contig, position, ref, alt in [f"chr{key}".split(":")]
    )
    of_ldl = run_query(
        warehouse,
        "SELECT k.rsid, m.phenotype_id, 'LDL in mg/dL' AS description, k.planted, m.se, m.beta "
        "FROM (SELECT DISTINCT rsid, p.* FROM known_associations JOIN VALUES "
        f"{planted} AS p (contig, position, ref, alt, planted) USING (contig, position, ref, alt)) k "
        "JOIN meta_associations m USING (contig, position, ref, alt) "
        f"WHERE m.scan = 'default' AND m.phenotype_id = '{_LDL}' ORDER BY k.rsid",
    ).collect()
    if len(of_ldl) < len(LDL_EFFECTS):
        raise SystemExit(f"{list(LDL_EFFECTS)} were not tested: the demo's input is not what it should be")
    return known + of_ldl


def off_by(effect: Row) -> float:
    """Standard errors between what was found and what was planted."""
    return float((effect.beta - effect.planted) / effect.se)


def _shown(path: Path) -> str:
    """A path as somebody in the repository's folder would write it."""
    return os.path.relpath(path)


def _table(title: str, *columns: str) -> Table:
    """An empty table; where it is too wide for one line a row, the second column gives way."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < 2 else "right", no_wrap=number != 1)
    return table


def _cut(name: str) -> Text:
    """A name that is cut at its end rather than broken."""
    return Text(name, no_wrap=True, overflow="ellipsis")
