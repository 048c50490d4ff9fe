"""The table writes of one catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, shown
from allofus_spark.genome import build_as_text
from allofus_spark.genome.regions import Interval
from allofus_spark.ingest.catalogue.merge import KEY, SITE_COLUMNS, KnownRows, RangeRows
from allofus_spark.ingest.catalogue.ranges import cut_ranges, in_groups, pieces_of
from allofus_spark.ingest.catalogue.version import CatalogueVersion, declared_lengths, whole
from allofus_spark.ingest.stage import Staged
from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.header import VcfHeader
from allofus_spark.tables import (
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CATALOGUES,
    KNOWN_PARTITIONS,
    KNOWN_VARIANTS,
    REJECTED_KNOWN_RECORDS,
    ArrowWrite,
    RowsWrite,
    Run,
    Warehouse,
    Write,
    content_hashes,
)
from allofus_spark.tasks import task_numbers


def known_write(
    warehouse: Warehouse, catalogue: CatalogueVersion, staged: Staged, n_files: int
) -> ArrowWrite:
    """Alleles put together range by range where staged rows let it be, else sorted by Spark."""
    make = KnownRows(catalogue.catalogue, catalogue.version, warehouse.bin_width_bases)
    replaced = [(KNOWN_VARIANTS, catalogue.predicate)]
    ranges = cut_ranges(pieces_of(staged.ledger.accounts, staged.paths)) if staged.paths else None
    if ranges is not None:
        groups = in_groups(ranges, n_files)
        return ArrowWrite(task_numbers(warehouse.spark, len(groups)), RangeRows(groups, make), replaced)
    sites = staged.rows.where(F.col("row_kind") == staging.SITE).select(*SITE_COLUMNS)
    return ArrowWrite(
        sites.repartitionByRange(n_files, "contig", "position").sortWithinPartitions(*KEY), make, replaced
    )


def rejected_write(rejected: DataFrame | None, this: str) -> Write | RowsWrite:
    """The refused records, in the place of those of an earlier ingest."""
    if rejected is not None:
        return Write(REJECTED_KNOWN_RECORDS, rejected.repartition(1), this)
    return RowsWrite(REJECTED_KNOWN_RECORDS, [], this)


def describe(
    warehouse: Warehouse,
    run: Run,
    catalogue: CatalogueVersion,
    headers: Iterable[VcfHeader],
    staged: Staged,
    n_written: int | None,
) -> None:
    """Write ``known_partitions`` from the rows just written, and the catalogue's own row."""
    written = run.read(KNOWN_VARIANTS).where(catalogue.predicate)
    hashes = content_hashes(written, "position", "ref", "alt", "known_id")
    _count(run, catalogue, sum(rows for rows, _ in hashes.values()), n_written)
    contigs = {piece[1] for account in staged.ledger.accounts for piece in account["pieces"]}
    lengths = declared_lengths(catalogue.build, headers)
    covered = whole(contigs, lengths) if catalogue.covered is None else catalogue.covered
    if catalogue.covered is None:
        run.progress(
            f"no --covers: taken as complete on the whole of {shown(sorted(contigs))}; an allele there that "
            "the catalogue lacks will count as unreported"
        )
    own = (catalogue.catalogue, catalogue.version)
    properties = {
        BUILD_PROPERTY: build_as_text(catalogue.build),
        BIN_WIDTH_PROPERTY: str(warehouse.bin_width_bases),
    }
    partitions = [(*own, *place, *content) for place, content in sorted(hashes.items())]
    run.write(
        RowsWrite(KNOWN_PARTITIONS, partitions, catalogue.predicate),
        RowsWrite(CATALOGUES, [_row(catalogue, covered, run.counters)], catalogue.predicate, properties),
    )


def _count(run: Run, catalogue: CatalogueVersion, n_alleles: int, n_written: int | None) -> None:
    """Count the alleles that the table holds now; raises BadSource where they are not those written."""
    n_read = run.counters["alleles_read"]
    if n_written not in (None, n_alleles) or n_alleles > n_read:
        raise BadSource(
            f"known_variants holds {n_alleles} rows of {catalogue.catalogue} {catalogue.version} where "
            f"{n_written} were written of {n_read} alleles; readers keep the snapshot before. This is a "
            "defect: report it."
        )
    run.counters.update(alleles_kept=n_alleles, alleles_merged=n_read - n_alleles)


def _row(
    catalogue: CatalogueVersion, covered: Iterable[Interval], counters: Mapping[str, int]
) -> tuple[object, ...]:
    """The catalogue's row of ``catalogues``."""
    return (
        catalogue.catalogue,
        catalogue.version,
        catalogue.date,
        catalogue.build.name,
        catalogue.checksum,
        list(catalogue.source_files),
        catalogue.normalised_with,
        [{"contig": contig, "first": first, "last": last} for contig, first, last in covered],
        counters["records_read"],
        counters["alleles_kept"],
        counters["alleles_not_comparable"],
        counters["records_refused"],
    )
