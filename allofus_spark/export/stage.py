"""Genotypes of a callset into files of PLINK, VCF or Hail."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import functions as F

from allofus_spark.cohort import active_samples, warehouse_build
from allofus_spark.errors import BadSource, ContractViolation
from allofus_spark.export.catalogue_positions import sites_at_known_positions
from allofus_spark.export.common import common_sites
from allofus_spark.export.format import Format, Summary
from allofus_spark.export.matrix_table import check_reference, vcf_to_matrix_table
from allofus_spark.export.parts import PART_TYPE, Part, PartsJob, in_rising_order, order_parts
from allofus_spark.export.people import People, choose_people
from allofus_spark.export.plink import Bed, Pgen
from allofus_spark.export.sites import SiteList, candidate_sites, sorted_sites, write_sites
from allofus_spark.export.target import (
    bytes_of,
    check_not_read,
    put_in_place,
    resolve_target,
    scratch_folder,
)
from allofus_spark.export.vcf import Vcf
from allofus_spark.genome.regions import Regions, read_regions
from allofus_spark.genotypes import rows_that_fit
from allofus_spark.joined_files import put_together
from allofus_spark.tables import (
    CALLSETS,
    GENOTYPES,
    VARIANT_SITES,
    Reader,
    SnapshotReader,
    Warehouse,
    rows_per_batch,
)
from allofus_spark.vcf_files import VCF_ENDING, index_vcf

_log = logging.getLogger(__name__)
_WRITERS: Mapping[str, type[Format]] = {"pgen": Pgen, "bed": Bed, "vcf": Vcf, "mt": Vcf}
# The main file last. A VCF has one index or the other.
_ENDINGS = {
    "pgen": (".pvar", ".psam", ".pgen"),
    "bed": (".bim", ".fam", ".bed"),
    "vcf": (f"{VCF_ENDING}.csi", f"{VCF_ENDING}.tbi", VCF_ENDING),
    "mt": (".mt",),
}
FORMATS = tuple(_WRITERS)


@dataclass(frozen=True)
class Selection:
    """What to export. None, or empty: no limit.

    ``regions`` are CONTIG:START-END, 1-based and inclusive; ``regions_file`` a BED file; a union of both.
    ``pass_only`` takes sites whose filters are passed or were not applied; ``common`` sites with an allele
    that is common in an ancestry; ``positions_of`` (CATALOGUE=VERSION) alleles at a position where that
    catalogue has an allele, the same or another.
    """

    callset_id: str | None = None
    regions: Sequence[str] = ()
    regions_file: str | None = None
    sample_ids: Sequence[str] | None = None
    pass_only: bool = False
    common: bool = False
    positions_of: str | None = None


def export_genotypes(
    warehouse: Warehouse, *, file_format: str, out: str, selection: Selection | None = None
) -> dict[str, int]:
    """Write genotypes of one callset as ``pgen``, ``bed``, ``vcf`` or ``mt``; counts of what was written.

    Read through the newest snapshot: no table is written, and no run is waited for.

    ``out`` is a local or mounted path, with or without the format's ending. What was there is replaced, when
    the new files are whole. Contigs come in the build's order, alleles by position, ref and alt, samples in
    the callset's order.

    Raises BadSource for a bad target, region or callset, or where nothing is selected; BadSamples naming
    ids that the callset lacks or the format cannot hold; BuildMismatch for contigs that the build, or Hail,
    does not know.
    """
    chosen = selection or Selection()
    target = resolve_target(out, _ENDINGS[file_format])
    reader = SnapshotReader(warehouse)
    sources = [path for row in reader.rows(CALLSETS) for path in row.source_files]
    check_not_read(target, [*sources, *([chosen.regions_file] if chosen.regions_file else [])])
    with scratch_folder(target) as folder:
        people = choose_people(active_samples(warehouse, reader), chosen.callset_id, chosen.sample_ids)
        build = warehouse_build(warehouse)
        form = _WRITERS[file_format](people, build, warehouse.settings.ingest.batch_bytes)
        form.check()
        regions = read_regions(build, chosen.regions, chosen.regions_file)
        sites = _select_sites(warehouse, reader, people, regions, chosen, folder)
        if file_format == "mt":
            check_reference(warehouse.spark, build.name, sites.contigs())
        parts = _write_parts(warehouse, reader, PartsJob(folder, sites, form))
        summary = _summary(parts, sites)
        files = _join_parts(form, parts, summary, folder)
        if file_format == "vcf":
            files |= _index(files[VCF_ENDING], summary)
        elif file_format == "mt":
            files = _matrix_table(warehouse, files[VCF_ENDING], build.name)
        n_bytes = sum(bytes_of(path) for path in files.values())
        put_in_place(files, target)
        return {"variants": sites.rows, "samples": len(people.ids), "bytes": n_bytes}


def _select_sites(
    warehouse: Warehouse,
    reader: Reader,
    people: People,
    regions: Regions | None,
    selection: Selection,
    folder: Path,
) -> SiteList:
    _log.info("selecting alleles")
    sites = reader.read(VARIANT_SITES).where(F.col("callset_id") == people.callset_id)
    sites = candidate_sites(sites, regions, pass_only=selection.pass_only)
    if selection.common:
        sites = common_sites(warehouse, reader, sites)
    if selection.positions_of is not None:
        sites = sites_at_known_positions(reader, sites, selection.positions_of)
    if selection.common or selection.positions_of is not None:
        sites = sorted_sites(sites)
    chosen = write_sites(sites, regions, folder)
    if not chosen.rows:
        raise BadSource(
            f"no allele of callset {people.callset_id} is selected, nothing was exported; widen "
            "the regions or take away a filter"
        )
    return chosen


def _write_parts(warehouse: Warehouse, reader: Reader, job: PartsJob) -> list[Part]:
    """Parts in genomic order."""
    people = job.format.people
    _log.info(f"writing {job.sites.rows:,} alleles of {len(people.ids):,} samples")
    genotypes = reader.read(GENOTYPES).where(F.col("callset_id") == people.callset_id)
    batch_bytes = warehouse.settings.ingest.batch_bytes
    with rows_per_batch(warehouse.spark, rows_that_fit(people.n_in_callset, batch_bytes)):
        rows = in_rising_order(genotypes.where(job.sites.rows_between()))
        reports = rows.mapInArrow(job, PART_TYPE).collect()
    parts = [Part(row.stem, row.contig, row.rows, tuple(row.first), tuple(row.last)) for row in reports]
    n_written = sum(part.rows for part in parts)
    if n_written != job.sites.rows:
        raise ContractViolation(
            f"variant_sites has {job.sites.rows} of the selected alleles and genotypes {n_written}; nothing "
            f"was exported. Ingest callset {people.callset_id} again with --replace"
        )
    return order_parts(parts, job.format.build.contig_lengths)


def _summary(parts: Sequence[Part], sites: SiteList) -> Summary:
    return Summary(
        n_variants=sites.rows,
        contigs=tuple(dict.fromkeys(part.contig for part in parts)),
        filters=sites.filters,
        last_position=max(part.last[0] for part in parts),
    )


def _join_parts(form: Format, parts: Sequence[Part], summary: Summary, folder: Path) -> dict[str, Path]:
    """Whole files, by ending, in ``folder``."""
    _log.info(f"putting {len(parts)} parts together")
    files: dict[str, Path] = {}
    for ending, head in form.heads(summary).items():
        files[ending] = folder / f"whole{ending}"
        put_together(files[ending], head, (Path(part.stem + ending) for part in parts), form.tail)
    for ending, content in form.companions().items():
        files[ending] = folder / f"whole{ending}"
        files[ending].write_bytes(content)
    return files


def _index(vcf: Path, summary: Summary) -> dict[str, Path]:
    _log.info("indexing")
    index = index_vcf(vcf, summary.last_position)
    return {VCF_ENDING + index.suffix: index}


def _matrix_table(warehouse: Warehouse, vcf: Path, build_name: str) -> dict[str, Path]:
    _log.info("writing the MatrixTable")
    path = vcf.with_name("whole.mt")
    vcf_to_matrix_table(vcf, path, build_name, warehouse.spark.sparkContext.defaultParallelism)
    return {".mt": path}
