"""``make bench-ancestry``: the ancestry of people who were left out of the training, on real genomes.

Each set is ingested once. Five times half of its people, drawn evenly from each label, train a model, all are
projected, and the other half are judged: ``oth`` counts as wrong. The shares of each split and the summed
table of confusion are printed, and the exit status is 1 where a share lies under its bar. The data are
outside: ``ALLOFUS_TEST_DATA`` names the folder, as for the tests.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from sklearn.model_selection import train_test_split

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.cli.screen import grid
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import SAMPLES, Warehouse, ancestries
from benchmarks.engines import outside_data

PANEL = "ancestry/integrated_call_samples_v3.20130502.ALL.panel.tsv"
GROUPS = ("afr", "amr", "eas", "eur", "sas")
SPLITS = 5

Texts = npt.NDArray[np.str_]


@dataclass(frozen=True)
class RealSet:
    """A set of genomes, and the least shares of people named rightly, by group: mean and of each split."""

    name: str
    files: str
    build: str
    least_mean: Mapping[str, float]
    least_of_a_split: Mapping[str, float]
    overrides: Sequence[str] = field(default=())


SETS = (
    RealSet(
        "peddy",
        "multisample/peddy_1kg_2504_exome_sites.grch38.vcf.gz",
        "GRCh38",
        dict.fromkeys(("afr", "eas", "eur", "sas"), 0.99),
        {**dict.fromkeys(("afr", "eas", "eur", "sas"), 0.985), "amr": 0.90},
    ),
    RealSet(
        "uwgac",
        "multisample/uwgac_1kg_p3_1126_allchr.grch37/*.vcf.gz",
        "GRCh37",
        {"afr": 0.97, "eas": 0.97, "sas": 0.97, "eur": 0.94, "amr": 0.88},
        {},
        ("ancestry.n_pcs=6",),
    ),
)


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    data = outside_data()
    console = Console(highlight=False, soft_wrap=True)
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        spark = start_session(load_settings(warehouse=folder), app_name="benchmark")
        for real in (real for real in SETS if options.set in (None, real.name)):
            settings = load_settings(
                warehouse=f"{folder}/{real.name}", overrides=(*real.overrides, *options.overrides)
            )
            warehouse = Warehouse(spark, settings)
            _ingest(warehouse, data, real)
            problems += _judge(console, warehouse, real)
        spark.stop()
    for problem in problems:
        console.print(problem)
    if not problems:
        console.print("every share reaches its bar")
    sys.exit(bool(problems))


def _ingest(warehouse: Warehouse, data: Path, real: RealSet) -> None:
    columns = {"sample_id": "sample", "ancestry": "super_pop"}
    ingest_samples(warehouse, data / PANEL, callset_id=real.name, columns=columns)
    ingest_genotypes(
        warehouse, [str(data / real.files)], callset_id=real.name, callset_date="2026-01-01", build=real.build
    )


def _judge(console: Console, warehouse: Warehouse, real: RealSet) -> list[str]:
    """Print a set's splits and confusion; a sentence for each share under its bar."""
    rows = [row for row in warehouse.rows(SAMPLES) if row.sample_index is not None]
    rows.sort(key=lambda row: row.sample_index)
    ids, labels = np.array([row.sample_id for row in rows]), np.array([row.ancestry for row in rows])
    given = [*GROUPS, warehouse.settings.frequencies.unassigned_group]
    confusion = np.zeros((len(GROUPS), len(given)), np.int64)
    shares = np.zeros((SPLITS, len(GROUPS)))
    table = grid(
        f"{real.name}: {len(ids):,} people, per cent named rightly", "split", "sites", *GROUPS, "seconds"
    )
    for split in range(SPLITS):
        train, rest = train_test_split(
            np.arange(len(ids)), test_size=0.5, random_state=split, stratify=labels
        )
        begun = time.perf_counter()
        model_id, counters = train_model(
            warehouse, callset_id=real.name, name=f"split{split}", sample_ids=ids[train].tolist()
        )
        project_samples(warehouse, model=model_id)
        seconds = time.perf_counter() - begun
        counts = _confusion(labels[rest], _labels_of(warehouse, ids[rest]), given)
        confusion += counts
        shares[split] = np.diag(counts) / counts.sum(axis=1)
        percents = [f"{100 * share:.2f}" for share in shares[split]]
        table.add_row(str(split), f"{counters['sites']:,}", *percents, f"{seconds:.1f}")
    table.add_row("mean", "", *(f"{100 * share:.2f}" for share in shares.mean(axis=0)), "")
    console.print(table)
    crossed = grid("label given (rows) and inferred, all splits", "", *given)
    for group, counts in zip(GROUPS, confusion, strict=True):
        crossed.add_row(group, *map(str, counts))
    console.print(crossed)
    return [
        *_under(real, "mean", real.least_mean, shares.mean(axis=0)),
        *_under(real, "worst split", real.least_of_a_split, shares.min(axis=0)),
    ]


def _labels_of(warehouse: Warehouse, ids: Texts) -> Texts:
    table = ancestries(warehouse.settings.frequencies.ancestry_groups)
    inferred = {row.sample_id: row.ancestry for row in warehouse.read(table).collect()}
    return np.array([inferred[name] for name in ids])


def _confusion(given: Texts, inferred: Texts, groups: Sequence[str]) -> npt.NDArray[np.int64]:
    counts = [[np.sum((given == row) & (inferred == column)) for column in groups] for row in GROUPS]
    return np.array(counts, np.int64)


def _under(
    real: RealSet, what: str, least: Mapping[str, float], shares: npt.NDArray[np.float64]
) -> list[str]:
    found = dict(zip(GROUPS, shares, strict=True))
    return [
        f"{real.name}: {what} of {group} is {100 * found[group]:.2f} %, its bar is {100 * bar:g} %"
        for group, bar in least.items()
        if found[group] < bar
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Infer the ancestry of people who were left out of training."
    )
    parser.add_argument("--set", choices=[real.name for real in SETS], help="one set alone")
    parser.add_argument(
        "--override", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="a setting"
    )
    return parser


if __name__ == "__main__":
    main()
