"""The table writes of one catalogue."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.genome import build_as_text
from allofus_spark.ingest.catalogue.description import Description, declared_lengths, whole
from allofus_spark.ingest.catalogue.merge import KEY, SITE_COLUMNS, KnownRows, RangeRows
from allofus_spark.ingest.catalogue.ranges import cut_ranges, in_groups, pieces_of
from allofus_spark.ingest.catalogue.source import CatalogueSource
from allofus_spark.ingest.stage import Staged
from allofus_spark.ingest.vcf import staging
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


def known_write(warehouse: Warehouse, catalogue: Description, staged: Staged, n_files: int) -> ArrowWrite:
    """Alleles put together range by range where staged rows let it be, else sorted by Spark."""
    make = KnownRows(catalogue.catalogue, catalogue.version, warehouse.bin_width_bases)
    replaced = [(KNOWN_VARIANTS, catalogue.rows)]
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
    catalogue: Description,
    source: CatalogueSource,
    staged: Staged,
    n_written: int | None,
) -> None:
    """Write ``known_partitions`` from the rows just written, and the catalogue's own row."""
    own = (catalogue.catalogue, catalogue.version)
    written = run.read(KNOWN_VARIANTS).where(catalogue.rows)
    hashes = content_hashes(written, "position", "ref", "alt", "known_id")
    n_alleles = sum(rows for rows, _ in hashes.values())
    counters = run.counters
    if n_written not in (None, n_alleles) or n_alleles > counters["alleles_read"]:
        raise BadSource(
            f"known_variants holds {n_alleles} rows of {catalogue.catalogue} {catalogue.version} where "
            f"{n_written} were written of {counters['alleles_read']} alleles; readers keep the snapshot "
            "before. This is a defect: report it."
        )
    counters.update(alleles_kept=n_alleles, alleles_merged=counters["alleles_read"] - n_alleles)
    contigs = {piece[1] for account in staged.ledger.accounts for piece in account["pieces"]}
    lengths = declared_lengths(catalogue.build, source.headers.values())
    covered = whole(contigs, lengths) if catalogue.covered is None else catalogue.covered
    row = (
        *own,
        catalogue.date,
        catalogue.build.name,
        catalogue.checksum,
        list(catalogue.source_files),
        catalogue.normalised_with,
        [{"contig": contig, "first": first, "last": last} for contig, first, last in covered],
        counters["records_read"],
        n_alleles,
        counters["alleles_not_comparable"],
        counters["records_refused"],
    )
    properties = {
        BUILD_PROPERTY: build_as_text(catalogue.build),
        BIN_WIDTH_PROPERTY: str(warehouse.bin_width_bases),
    }
    partitions = [(*own, *place, *content) for place, content in sorted(hashes.items())]
    run.write(
        RowsWrite(KNOWN_PARTITIONS, partitions, catalogue.rows),
        RowsWrite(CATALOGUES, [row], catalogue.rows, properties),
    )
