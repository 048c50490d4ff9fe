"""Joint-called genotypes into ``callsets``, ``samples``, ``variants``, ``variant_sites`` and ``genotypes``.

The order of work: look at every file's bytes and header; parse all of it once into staged rows; hold the
tasks' accounts against the files; set duplicates aside; only then write. A bad file, or too many refused
records, leaves the tables as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pyspark.sql import DataFrame, Row

from allofus_spark.cohort import WITHDRAWN_COUNTER, check_build, configured_reference, read_withdrawn
from allofus_spark.errors import shown
from allofus_spark.genome import Build, ReferenceSequence, load_build
from allofus_spark.genotypes import rows_that_fit
from allofus_spark.ingest import transforms
from allofus_spark.ingest.array_source import ArraySource, check_orientation
from allofus_spark.ingest.callsets import (
    check_callset_id,
    check_may_come_in,
    check_overlap,
    count_described,
    held_callsets,
    held_samples,
    is_described,
    parse_date,
)
from allofus_spark.ingest.duplicates import LOCATOR, Duplicates, found_duplicates
from allofus_spark.ingest.filters import GenotypeFilters, parse_filters
from allofus_spark.ingest.ledger import balanced_files, check_rejected_share, count_records
from allofus_spark.ingest.order import contiguous_groups
from allofus_spark.ingest.plan import check_fields, plan_source
from allofus_spark.ingest.source import IngestJob
from allofus_spark.ingest.stage import stage_records, staging_folder
from allofus_spark.ingest.transforms import AlleleRows, SplitAlleles
from allofus_spark.ingest.vcf.calls import SEX_UNKNOWN, SEX_XX, SEX_XY
from allofus_spark.ingest.writes import CallsetRow, Held, files_to_write, write_callset
from allofus_spark.tables import MakeRows, Run, Warehouse, rows_per_batch, start_run
from allofus_spark.tasks import task_numbers

_SEX_CODES: dict[str | None, int] = {"XX": SEX_XX, "XY": SEX_XY}


def ingest_genotypes(
    warehouse: Warehouse,
    sources: Sequence[str],
    *,
    callset_id: str,
    callset_date: str,
    build: str,
    replace: bool = False,
    replaces: str | None = None,
) -> dict[str, int]:
    """Ingest one callset, and record a snapshot.

    Parameters
    ----------
    sources
        VCF files, globs or folders of shards, on any Hadoop file system; or PLINK 1 .bed, PLINK 2 .pgen or
        BGEN files on a local or mounted one; or one Hail MatrixTable or VDS. All of one callset.
    build
        GRCh38, GRCh37, or the FASTA index of a custom build.
    replace
        Put these files in the place of the callset of the same id.
    replaces
        Another callset to retire: its samples may come again in this one.

    Returns
    -------
    Counters of the run: records and alleles read, kept and refused; calls set to missing by each rule.

    Raises
    ------
    BadSource, BadSamples, BuildMismatch
        Before anything is written.
    """
    check_callset_id(callset_id)
    date = parse_date(callset_date)
    with start_run(warehouse, "ingest_genotypes") as run:
        genome = load_build(build)
        check_build(warehouse, genome)
        reference = configured_reference(warehouse, genome)
        filters = parse_filters(warehouse.settings.ingest.genotype_filters)
        source = plan_source(warehouse, sources, genome, progress=run.progress)
        check_fields(source, filters)
        if isinstance(source, ArraySource):
            check_orientation(source, reference)
        for warning in (*source.warnings, *(reference.warnings if reference else ())):
            run.progress(f"warning: {warning}")
        held = held_callsets(run)
        check_may_come_in(held, source, callset_id=callset_id, replace=replace, replaces=replaces)
        check_overlap(run, held, source.samples, callset_id=callset_id, replaces=replaces)
        samples = held_samples(run, callset_id)
        described = [name for name, row in samples.items() if is_described(row)]
        if described:
            count_described(run, callset_id, described, source.samples)
        withdrawn = _withdrawn_slots(run, source.samples)
        callset = CallsetRow(callset_id, date, genome, source, reference, filters, replaces, withdrawn)
        job = _job(warehouse, source.samples, genome, reference, filters, samples)
        with staging_folder(warehouse.spark, warehouse.root, run.run_id) as folder:
            _read_and_write(warehouse, run, callset, job, Held.of(held, samples, callset_id), folder)
        return dict(run.counters)


def _withdrawn_slots(run: Run, samples: Sequence[str]) -> tuple[int, ...]:
    """Places of the samples whose people withdrew consent, counted and told of."""
    listed = read_withdrawn(run).samples
    slots = tuple(place for place, name in enumerate(samples) if name in listed)
    if slots:
        run.counters[WITHDRAWN_COUNTER] = len(slots)
        run.progress(f"{len(slots)} of {len(samples)} samples have withdrawn: their calls are not taken")
    return slots


def _job(
    warehouse: Warehouse,
    names: tuple[str, ...],
    genome: Build,
    reference: ReferenceSequence | None,
    filters: GenotypeFilters,
    samples: Mapping[str, Row],
) -> IngestJob:
    limits = warehouse.settings.ingest
    karyotypes = {sample: row.sex_karyotype for sample, row in samples.items()}
    sex = np.array([_SEX_CODES.get(karyotypes.get(name), SEX_UNKNOWN) for name in names], np.int8)
    return IngestJob(
        samples=names,
        sex=sex,
        build=genome,
        reference=reference,
        filters=filters,
        max_alts=limits.max_alts,
        chunk_bytes=limits.chunk_bytes,
        batch_bytes=limits.batch_bytes,
        max_line_bytes=limits.max_line_bytes,
    )


def _read_and_write(
    warehouse: Warehouse, run: Run, callset: CallsetRow, job: IngestJob, held: Held, folder: str
) -> None:
    spark, source = warehouse.spark, callset.source
    run.progress(f"reading {shown(source.paths)}, {len(job.samples)} samples")
    most_rows = rows_that_fit(len(job.samples), job.batch_bytes)
    with rows_per_batch(spark, most_rows):
        staged = stage_records(warehouse, source, job, folder)
        run.counters.update(staged.ledger.totals)
        rejected = None
        if run.counters["records_refused"]:
            rejected = transforms.rejected_rows(staged.rows, callset_id=callset.callset_id)
        with found_duplicates(staged.alleles if staged.ledger.may_repeat else None) as duplicates:
            if duplicates:
                run.counters.update(duplicates.counters)
                aside = _refused_duplicates(callset.callset_id, staged.alleles, duplicates)
                rejected = rejected.unionByName(aside) if rejected is not None else aside
            run.sources = balanced_files(staged.ledger, duplicates)
            check_rejected_share(run, rejected, warehouse.settings.ingest.max_rejected_share)
            count_records(run)
            n_files = files_to_write(warehouse, folder)
            rows = AlleleRows(
                callset.callset_id,
                warehouse.bin_width_bases,
                held.alone,
                len(job.samples),
                callset.withdrawn,
            )
            make: MakeRows = rows
            if staged.paths and staged.ledger.in_order and not duplicates:
                groups = tuple(map(tuple, contiguous_groups(staged.paths, n_files)))
                frame = task_numbers(spark, len(groups))
                make = SplitAlleles(groups, most_rows, rows)
            else:
                order = ("contig", "position")
                alleles = _without_duplicates(staged.alleles, duplicates)
                frame = alleles.repartitionByRange(n_files, *order).sortWithinPartitions(*order)
            write_callset(warehouse, run, callset, held, frame, make, rejected)


def _refused_duplicates(callset_id: str, alleles: DataFrame, duplicates: Duplicates) -> DataFrame:
    """Rows of ``rejected_records`` for the alleles whose duplicates have other calls."""
    refused = alleles.join(duplicates.refused, list(LOCATOR), "left_semi")
    return transforms.rejected_allele_rows(refused, callset_id=callset_id, reason="duplicate_allele")


def _without_duplicates(alleles: DataFrame, duplicates: Duplicates | None) -> DataFrame:
    """Alleles with unique keys."""
    if duplicates is None:
        return alleles
    left_out = duplicates.collapsed.unionAll(duplicates.refused)
    return alleles.join(left_out, list(LOCATOR), "left_anti")
