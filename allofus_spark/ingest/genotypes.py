"""Joint-called VCF files into ``callsets``, ``samples``, ``variants``, ``variant_sites`` and ``genotypes``.

The order of work: look at every file's bytes and header; parse all splits once into staged rows; hold the
tasks' accounts against the files; set duplicates aside; only then write. A bad file, or too many refused
records, leaves the tables as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.genome import Build, ReferenceSequence, load_build
from allofus_spark.genotypes import packed_width
from allofus_spark.ingest import transforms
from allofus_spark.ingest.callsets import (
    SampleAttributes,
    check_callset_id,
    check_may_come_in,
    check_overlap,
    count_described,
    described_samples,
    held_callsets,
    parse_date,
)
from allofus_spark.ingest.duplicates import LOCATOR, find_duplicates, repeated_keys
from allofus_spark.ingest.files import list_sources
from allofus_spark.ingest.plan import CallsetPlan, plan_callset
from allofus_spark.ingest.stage import read_ledger, stage_records, staging_folder
from allofus_spark.ingest.tasks import ParseJob
from allofus_spark.ingest.vcf.calls import SEX_UNKNOWN, SEX_XX, SEX_XY
from allofus_spark.ingest.writes import CallsetRow, callset_writes
from allofus_spark.tables import Run, Warehouse, rows_per_batch, start_run

_SEX_CODES = {"XX": SEX_XX, "XY": SEX_XY}


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
    """Ingest one callset from VCF files, and record a snapshot.

    Parameters
    ----------
    sources
        Files, globs or folders, on any Hadoop file system; all shards of one callset.
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
        warehouse.check_build(genome.name)
        reference = _reference(warehouse, genome)
        files = list_sources(warehouse.spark, sources)
        run.progress(f"reading the headers of {len(files)} files")
        split_bytes = warehouse.settings.ingest.split_bytes
        plan = plan_callset(warehouse.spark, files, genome, split_bytes=split_bytes)
        for warning in (*plan.warnings, *(reference.warnings if reference else ())):
            run.progress(f"warning: {warning}")
        held = held_callsets(warehouse, run)
        check_may_come_in(held, plan, callset_id=callset_id, replace=replace, replaces=replaces)
        check_overlap(warehouse, held, plan.samples, callset_id=callset_id, replaces=replaces)
        described = described_samples(warehouse, run, callset_id)
        if described:
            count_described(run, callset_id, described, plan.samples)
        callset = CallsetRow(callset_id, date, genome.name, plan, reference, replaces)
        job = _parse_job(warehouse, plan, genome, reference, described)
        with staging_folder(warehouse.spark, warehouse.root, run.run_id) as folder:
            _read_and_write(warehouse, run, callset, job, described, folder)
        return dict(run.counters)


def _reference(warehouse: Warehouse, genome: Build) -> ReferenceSequence | None:
    fasta = warehouse.settings.genome.reference_fasta
    return ReferenceSequence(fasta, genome) if fasta else None


def _parse_job(
    warehouse: Warehouse,
    plan: CallsetPlan,
    genome: Build,
    reference: ReferenceSequence | None,
    described: dict[str, SampleAttributes],
) -> ParseJob:
    limits = warehouse.settings.ingest
    karyotypes = (described[sample].sex_karyotype if sample in described else None for sample in plan.samples)
    sex = np.array([_SEX_CODES.get(karyotype or "", SEX_UNKNOWN) for karyotype in karyotypes], np.int8)
    return ParseJob(
        splits=plan.splits,
        headers=plan.headers,
        samples=plan.samples,
        sex=sex,
        build=genome,
        reference=reference,
        max_alts=limits.max_alts,
        chunk_bytes=limits.chunk_bytes,
        batch_bytes=limits.batch_bytes,
        max_line_bytes=limits.max_line_bytes,
    )


def _read_and_write(
    warehouse: Warehouse,
    run: Run,
    callset: CallsetRow,
    job: ParseJob,
    described: dict[str, SampleAttributes],
    folder: str,
) -> None:
    spark, plan = warehouse.spark, callset.plan
    run.progress(f"parsing {len(plan.splits)} splits, {len(plan.samples)} samples")
    # A sparse row never takes more bytes than the packed one.
    row_bytes = packed_width(len(plan.samples)) + 1
    with rows_per_batch(spark, max(1, min(10_000, job.batch_bytes // row_bytes))):
        staged = stage_records(spark, plan, job, folder)
        run.counters.update(read_ledger(staged, plan))
        width = warehouse.bin_width_bases
        alleles = transforms.allele_rows(staged, callset_id=callset.callset_id, bin_width_bases=width)
        rejected = transforms.rejected_rows(staged, callset_id=callset.callset_id)
        alleles, rejected = _set_duplicates_aside(run, callset.callset_id, alleles, rejected)
        _check_rejected_share(run, staged, warehouse.settings.ingest.max_rejected_share)
        run.write(*callset_writes(warehouse, run, callset, described, alleles, rejected, folder))


def _set_duplicates_aside(
    run: Run, callset_id: str, alleles: DataFrame, rejected: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """Alleles with unique keys, and the refused rows with the duplicates among them."""
    repeated = repeated_keys(alleles).cache()
    if repeated.isEmpty():
        return alleles, rejected
    duplicates = find_duplicates(alleles, repeated)
    collapsed, refused = duplicates.collapsed.cache(), duplicates.refused.cache()
    run.counters["alleles_collapsed"] = collapsed.count()
    run.counters["alleles_refused_duplicate"] = refused.count()
    locator = list(LOCATOR)
    refused_rows = alleles.join(F.broadcast(refused), locator, "left_semi")
    kept = alleles.join(F.broadcast(collapsed.unionAll(refused)), locator, "left_anti")
    aside = transforms.rejected_allele_rows(refused_rows, callset_id=callset_id, reason="duplicate_allele")
    return kept, rejected.unionByName(aside)


def _check_rejected_share(run: Run, staged: DataFrame, allowed: float) -> None:
    """Raise BadSource naming reasons and examples where too many records were refused."""
    read = run.counters["records_read"]
    refused = run.counters["records_refused"] + run.counters["alleles_refused_duplicate"]
    if refused <= allowed * read:
        return
    reasons = ", ".join(
        f"{count} {name.removeprefix('refused_').removeprefix('alleles_refused_')}"
        for name, count in sorted(run.counters.items())
        if name.startswith("refused_") or name == "alleles_refused_duplicate"
    )
    examples = staged.where("reason IS NOT NULL").select("source_file", "chrom", "pos", "reason").take(5)
    shown = "; ".join(f"{row.source_file} {row.chrom}:{row.pos} {row.reason}" for row in examples)
    raise BadSource(
        f"{refused} of {read} records were refused ({reasons}), more than the share of {allowed:g} allowed; "
        f"nothing was written. First: {shown}. Mend the file, or raise ingest.max_rejected_share."
    )
