"""Tables of very many alleles, of a cohort and of a catalogue, whose every status is known before.

Both spread over the autosomes as evenly as the genome is long; one allele in ten is a deletion. Of the
cohort's alleles 55 % are in the catalogue, 10 % are at a position of the catalogue with another allele, and
35 % are elsewhere: about the shares of a large cohort against dbSNP.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.genome import Build, build_as_text, load_build, variant_ids, variant_types
from allofus_spark.tables import (
    ALLELE_KEY,
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CALLSETS,
    CATALOGUES,
    KNOWN_PARTITIONS,
    KNOWN_VARIANTS,
    VARIANTS,
    WHOLE_TABLE,
    ArrowWrite,
    RowsWrite,
    Warehouse,
    content_hashes,
    start_run,
)
from allofus_spark.tasks import numbers_in, task_numbers
from benchmarks.engines import run_command
from tools.cohort_files import bgzip_file

CALLSET, CATALOGUE = "cohort", "known"
FASTA = "the checksum of a FASTA"
_KNOWN, _NEW_ALLELE = 0.55, 0.10
_REFS = ("A", "C", "G", "T", "AGT", "CTA", "GAC", "TCG")
_ALTS = ("C", "G", "T", "A", "A", "C", "G", "T")
_OTHER_ALTS = ("G", "T", "A", "C", "AG", "CT", "GA", "TC")
_ROWS = 100_000


@dataclass(frozen=True)
class Alleles:
    """Positions, rising, of one contig; ``status`` of the cohort's: 0 known, 1 new allele, 2 new position."""

    known: npt.NDArray[np.int64]
    cohort: npt.NDArray[np.int64]
    status: npt.NDArray[np.int8]


@dataclass(frozen=True)
class Size:
    """How many alleles there are over all contigs, and what they are drawn with.

    ``version`` is the catalogue's; alleles of the contigs ``changed`` are others than without.
    """

    cohort: int
    known: int
    seed: int
    version: str = "1"
    changed: tuple[str, ...] = ()

    def of_contig(self, contig: str, build: Build) -> Alleles:
        """The alleles of one contig, always the same."""
        lengths = autosomes(build)
        share = lengths[contig] / sum(lengths.values())
        rng = np.random.default_rng([self.seed, list(lengths).index(contig), contig in self.changed])
        n_known, n_cohort = round(self.known * share), round(self.cohort * share)
        n_elsewhere = round(n_cohort * (1 - _KNOWN - _NEW_ALLELE))
        places = 1 + np.sort(rng.choice(lengths[contig] - 10, n_known + n_elsewhere, replace=False))
        elsewhere = np.zeros(len(places), np.bool_)
        elsewhere[rng.choice(len(places), n_elsewhere, replace=False)] = True
        known = places[~elsewhere]
        status = np.full(len(places), -1, np.int8)
        status[elsewhere] = 2
        drawn = rng.choice(np.flatnonzero(~elsewhere), n_cohort - n_elsewhere, replace=False)
        status[drawn] = rng.random(len(drawn)) < _NEW_ALLELE / (_KNOWN + _NEW_ALLELE)
        return Alleles(known, places[status >= 0], status[status >= 0])


def autosomes(build: Build) -> dict[str, int]:
    """Lengths of chr1 to chr22."""
    return {f"chr{number}": build.contig_lengths[f"chr{number}"] for number in range(1, 23)}


def write_tables(warehouse: Warehouse, size: Size) -> dict[str, int]:
    """Fill ``variants`` and ``known_variants``; the number of alleles that must get each status."""
    build = load_build("GRCh38")
    contigs = list(autosomes(build))
    own = f"catalogue = '{CATALOGUE}' AND version = '{size.version}'"
    with start_run(warehouse, "benchmark") as run:
        made = partial(_make, size, build, warehouse.bin_width_bases)
        frame = task_numbers(warehouse.spark, len(contigs))
        run.write(
            ArrowWrite(frame, made, [(VARIANTS, WHOLE_TABLE), (KNOWN_VARIANTS, own)]),
            *_descriptions(warehouse, build, size, own),
        )
        known = run.read(KNOWN_VARIANTS).where(own)
        hashes = content_hashes(known, "position", "ref", "alt", "known_id")
        rows = [(CATALOGUE, size.version, *place, *content) for place, content in hashes.items()]
        run.write(RowsWrite(KNOWN_PARTITIONS, rows, own))
    return expected_statuses(size)


def expected_statuses(size: Size) -> dict[str, int]:
    """The number of alleles of the cohort that must get each status."""
    build = load_build("GRCh38")
    statuses = [size.of_contig(contig, build).status for contig in autosomes(build)]
    known, new_allele, elsewhere = np.bincount(np.concatenate(statuses), minlength=3).tolist()
    return {"reported": known, "known_site_new_allele": new_allele, "unreported": elsewhere}


def write_sites(path: Path, size: Size, *, known: bool) -> None:
    """The alleles of the catalogue, or those of the cohort, as an indexed bgzip VCF without samples."""
    build = load_build("GRCh38")
    contigs = [f"##contig=<ID={name},length={length}>" for name, length in autosomes(build).items()]
    columns = "\t".join(("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"))
    with bgzip_file(path) as stream:
        stream.write(("\n".join(("##fileformat=VCFv4.2", *contigs, columns)) + "\n").encode())
        for contig in autosomes(build):
            alleles = size.of_contig(contig, build)
            positions = alleles.known if known else alleles.cohort
            status = np.zeros(len(positions), np.int8) if known else alleles.status
            for first in range(0, len(positions), _ROWS):
                part = slice(first, first + _ROWS)
                row = _allele_columns(contig, positions[part], status[part], build.contig_lengths[contig])
                place = row["position"].cast(pa.string())
                name = pc.binary_join_element_wise("rs", place, "") if known else "."
                fields = (contig, place, name, row["ref"], row["alt"], ".", ".", ".\n")
                stream.write("".join(pc.binary_join_element_wise(*fields, "\t").to_pylist()).encode())
    run_command(["bcftools", "index", "--threads", "2", str(path)])


def _descriptions(warehouse: Warehouse, build: Build, size: Size, own: str) -> list[RowsWrite]:
    properties = {
        BUILD_PROPERTY: build_as_text(build),
        BIN_WIDTH_PROPERTY: str(warehouse.bin_width_bases),
    }
    date = dt.date(2026, 1, 1)
    callset: tuple[object, ...] = (CALLSET, date, build.name, 1, "", "", [], FASTA, [], None)
    covered = [{"contig": name, "first": 1, "last": length} for name, length in autosomes(build).items()]
    head: tuple[object, ...] = (CATALOGUE, size.version, date, build.name, size.version, [], FASTA, covered)
    catalogue: tuple[object, ...] = (*head, size.known, size.known, 0, 0)
    return [
        RowsWrite(CALLSETS, [callset], WHOLE_TABLE, properties),
        RowsWrite(CATALOGUES, [catalogue], own, properties),
    ]


def _make(
    size: Size, build: Build, bin_width: int, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    contigs = list(autosomes(build))
    for number in numbers_in(batches):
        alleles = size.of_contig(contigs[number], build)
        for first in range(0, len(alleles.known), _ROWS):
            positions = alleles.known[first : first + _ROWS]
            columns = _allele_columns(
                contigs[number], positions, np.zeros(len(positions), np.int8), bin_width
            )
            ids = pc.binary_join_element_wise("rs", columns["position"].cast(pa.string()), "")
            named = {
                "catalogue": pa.repeat(CATALOGUE, len(positions)),
                "version": pa.repeat(size.version, len(positions)),
            }
            yield KNOWN_VARIANTS.name, _batch({**named, **columns, "known_id": ids})
        for first in range(0, len(alleles.cohort), _ROWS):
            part = slice(first, first + _ROWS)
            columns = _allele_columns(contigs[number], alleles.cohort[part], alleles.status[part], bin_width)
            key = [columns[name] for name in ALLELE_KEY if name != "bin"]
            yield VARIANTS.name, _batch({
                **columns,
                "variant_id": variant_ids(*key),
                "variant_type": variant_types(columns["ref"], columns["alt"]),
                "first_callset_id": pa.repeat(CALLSET, len(columns["ref"])),
            })  # fmt: skip


def _allele_columns(
    contig: str, positions: npt.NDArray[np.int64], status: npt.NDArray[np.int8], bin_width: int
) -> dict[str, pa.Array]:
    """Key columns; the allele follows from the position, and a new allele of it from ``status``."""
    code = pa.array(positions % 4 + 4 * (positions % 10 == 0))
    alts = pa.array(_ALTS).take(code)
    others = pa.array(_OTHER_ALTS).take(code)
    return {
        "contig": pa.repeat(contig, len(positions)),
        "bin": pa.array((positions // bin_width).astype(np.int32)),
        "position": pa.array(positions.astype(np.int32)),
        "ref": pa.array(_REFS).take(code),
        "alt": pc.if_else(pa.array(status == 1), others, alts),
    }


def _batch(columns: dict[str, pa.Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
