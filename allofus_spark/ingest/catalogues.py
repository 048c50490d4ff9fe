"""Catalogues of known variants into ``catalogues``, ``known_variants`` and ``known_partitions``.

The order of work is that of callsets: look at every file's bytes and header; parse all of it once into staged
rows; hold the tasks' accounts against the files; only then write. Versions lie side by side; the same files
again change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allofus_spark.cohort import check_build, configured_reference
from allofus_spark.errors import BadSource, shown
from allofus_spark.genome import Build, ReferenceSequence, load_build
from allofus_spark.ingest.callsets import parse_date
from allofus_spark.ingest.catalogue.sites import PIECE_ROWS
from allofus_spark.ingest.catalogue.source import plan_catalogue
from allofus_spark.ingest.catalogue.version import (
    CatalogueVersion,
    checksum,
    declared_lengths,
    read_coverage,
)
from allofus_spark.ingest.catalogue.writes import describe, known_write, rejected_write
from allofus_spark.ingest.files import list_sources
from allofus_spark.ingest.filters import parse_filters
from allofus_spark.ingest.ledger import balanced_files, check_rejected_share
from allofus_spark.ingest.source import IngestJob
from allofus_spark.ingest.stage import stage_records, staging_folder
from allofus_spark.ingest.transforms import rejected_rows
from allofus_spark.ingest.vcf_source import VcfSource
from allofus_spark.ingest.writes import files_to_write
from allofus_spark.tables import (
    CATALOGUES,
    KNOWN_PARTITIONS,
    Run,
    Warehouse,
    check_name,
    rows_per_batch,
    start_run,
)

# Where lines of sites are short, what the scanner says about them takes more memory than the lines.
_CHUNK_BYTES = 4 << 20
# Without calls a site with many alleles costs a row each, and nothing more.
_NO_LIMIT = np.iinfo(np.int32).max


def ingest_catalogue(
    warehouse: Warehouse,
    sources: Sequence[str],
    *,
    name: str,
    version: str,
    build: str,
    date: str | None = None,
    covers: Sequence[str] = (),
    replace: bool = False,
) -> dict[str, int]:
    """Ingest one version of a catalogue, and record a snapshot.

    Parameters
    ----------
    sources
        VCF files, with or without samples, or TSV or CSV files with a header, on any Hadoop file system;
        globs, or folders of VCF files. Calls are not looked at, and samples may differ.
    build
        GRCh38, GRCh37, or the FASTA index of a custom build.
    date
        YYYY-MM-DD; not given: the newest ``##fileDate`` of the files.
    covers
        Where the catalogue is complete: regions ``CONTIG:START-END`` and BED files. Not given: the whole of
        every contig with an allele.
    replace
        Put these files in the place of the version that the warehouse holds, where they are others.

    Returns
    -------
    Counters of the run; ``catalogues_unchanged`` alone where the warehouse holds the same already.

    Raises
    ------
    BadSource, BuildMismatch
        Before anything is written.
    """
    check_name("catalogue name", name)
    check_name("catalogue version", version)
    declared = None if date is None else parse_date(date, "catalogue date")
    with start_run(warehouse, "ingest_catalogue") as run:
        genome = load_build(build)
        check_build(warehouse, genome)
        reference = configured_reference(warehouse, genome)
        covered = read_coverage(genome, covers)
        files = list_sources(warehouse.spark, sources)
        run.progress(f"reading the headers of {len(files)} files")
        source, file_date = plan_catalogue(
            warehouse.spark, files, genome, split_bytes=warehouse.settings.ingest.split_bytes
        )
        catalogue = CatalogueVersion(
            catalogue=name,
            version=version,
            date=declared or file_date,
            build=genome,
            checksum=checksum(warehouse.spark, files),
            source_files=source.paths,
            normalised_with=reference.checksum() if reference else None,
            covered=covered,
        )
        _warn(run, catalogue, source, reference)
        if _is_held(run, catalogue, source, replace=replace):
            run.progress(f"{name} {version} is in the warehouse already, from the same files: nothing to do")
            run.counters["catalogues_unchanged"] = 1
            return dict(run.counters)
        with staging_folder(warehouse.spark, warehouse.root, run.run_id) as folder:
            _read_and_write(warehouse, run, catalogue, source, _job(warehouse, genome, reference), folder)
        return dict(run.counters)


def _warn(
    run: Run, catalogue: CatalogueVersion, source: VcfSource, reference: ReferenceSequence | None
) -> None:
    for warning in (*source.warnings, *(reference.warnings if reference else ())):
        run.progress(f"warning: {warning}")
    if catalogue.date is None:
        run.progress(
            f"warning: {shown(source.paths)} give no ##fileDate, so the catalogue has no date; "
            "say it with --date"
        )


def _is_held(run: Run, catalogue: CatalogueVersion, source: VcfSource, *, replace: bool) -> bool:
    own = (catalogue.catalogue, catalogue.version)
    held = [row for row in run.rows(CATALOGUES) if (row.catalogue, row.version) == own]
    contigs = {row.contig for row in run.rows(KNOWN_PARTITIONS) if (row.catalogue, row.version) == own}
    lengths = declared_lengths(catalogue.build, source.headers.values())
    return catalogue.is_held(held[0] if held else None, contigs, lengths, replace=replace)


def _job(warehouse: Warehouse, genome: Build, reference: ReferenceSequence | None) -> IngestJob:
    limits = warehouse.settings.ingest
    return IngestJob(
        samples=(),
        sex=np.zeros(0, np.int8),
        build=genome,
        reference=reference,
        filters=parse_filters(()),
        max_alts=_NO_LIMIT,
        chunk_bytes=min(limits.chunk_bytes, _CHUNK_BYTES),
        batch_bytes=limits.batch_bytes,
        max_line_bytes=limits.max_line_bytes,
    )


def _read_and_write(
    warehouse: Warehouse,
    run: Run,
    catalogue: CatalogueVersion,
    source: VcfSource,
    job: IngestJob,
    folder: str,
) -> None:
    run.progress(f"reading {shown(source.paths)}")
    staged = stage_records(warehouse, source, job, folder)
    run.counters.update(staged.ledger.totals)
    run.sources = balanced_files(staged.ledger, None)
    rejected = None
    if run.counters["records_refused"]:
        rejected = rejected_rows(staged.rows, catalogue=catalogue.catalogue, version=catalogue.version)
    check_rejected_share(run, rejected, warehouse.settings.ingest.max_rejected_share)
    if not run.counters["alleles_read"]:
        raise BadSource(
            f"{shown(source.paths)}: no allele in {run.counters['records_read']} records that could be "
            "compared; nothing was written. Give the catalogue's file of sites."
        )
    with rows_per_batch(warehouse.spark, PIECE_ROWS):
        (known, *_) = run.write(
            known_write(warehouse, catalogue, staged, files_to_write(warehouse, folder)),
            rejected_write(rejected, catalogue.predicate),
        )
    describe(warehouse, run, catalogue, source.headers.values(), staged, known.rows)
