"""Contracts of every table, and the only code that reads and writes them."""

from allofus_spark.tables.access_tables import ACCESS_AUDIT, ACCESS_EVENTS, EVENTS, RESEARCHERS
from allofus_spark.tables.ancestry_tables import (
    ANCESTRY_LOADINGS,
    ANCESTRY_MODELS,
    ANCESTRY_TRAINING,
    ancestries,
)
from allofus_spark.tables.aside import Aside
from allofus_spark.tables.association_tables import ASSOCIATION_SUMMARIES, ASSOCIATIONS, META_ASSOCIATIONS
from allofus_spark.tables.callset_tables import CALLSETS, REJECTED_RECORDS, SAMPLES
from allofus_spark.tables.catalog import MADE_BY, contract, contracts, how_to_make
from allofus_spark.tables.catalogue_tables import (
    CATALOGUES,
    KNOWN_PARTITIONS,
    KNOWN_VARIANTS,
    REJECTED_KNOWN_RECORDS,
)
from allofus_spark.tables.columns import Among, column_batches, read_columns, rows_among
from allofus_spark.tables.consequence_tables import CONSEQUENCES, VARIANT_SUMMARY
from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.frequency_tables import ALLELE_COUNTS, STRATA, allele_frequencies
from allofus_spark.tables.freshness import Freshness
from allofus_spark.tables.holding import hold_lease
from allofus_spark.tables.journals import writing_journals
from allofus_spark.tables.leftovers import STAGING
from allofus_spark.tables.live_files import LiveFile, live_files, paths_by_partition
from allofus_spark.tables.novelty_tables import CATALOGUE_SETS, NOVELTY, NOVELTY_HISTORY, PARTITION_INPUTS
from allofus_spark.tables.omop_tables import OMOP_TABLES, REJECTED_OMOP_ROWS, OmopTable
from allofus_spark.tables.partitions import (
    Inputs,
    Partition,
    check_name,
    content_hash,
    content_hashes,
    inputs_by_scope,
    inputs_write,
    partitions_predicate,
    quoted,
    recorded_inputs,
    rows_of_callset,
    rows_of_callsets,
)
from allofus_spark.tables.person_tables import PERSON_SAMPLES, PERSONS, REPRESENTATION
from allofus_spark.tables.phenotype_tables import (
    PHENOTYPE_CATALOGUE,
    PHENOTYPE_DEFINITIONS,
    PHENOTYPE_PEOPLE,
    PHENOTYPES,
    UNMAPPED_CODES,
)
from allofus_spark.tables.qc_tables import SAMPLE_OUTLIERS, SAMPLE_QC, variant_qc
from allofus_spark.tables.readers import Reader, SnapshotReader
from allofus_spark.tables.recipes import BY_HAND, Recipe
from allofus_spark.tables.relatedness_tables import RELATED_PAIRS, UNRELATED
from allofus_spark.tables.replication_tables import (
    KNOWN_ASSOCIATIONS,
    REJECTED_KNOWN_ASSOCIATIONS,
    REPLICATION_SUMMARY,
    REPLICATIONS,
)
from allofus_spark.tables.run_tables import PIPELINE_RUNS, RUN_TABLES, SNAPSHOTS, SourceRecords
from allofus_spark.tables.runs import Run
from allofus_spark.tables.starts import record_run, start_run
from allofus_spark.tables.vacuum import (
    FoundFile,
    keep_newest_only,
    live_names,
    log_files,
    names_removed_since,
    pictures_of_people,
    remove_file,
    unreferenced_files,
)
from allofus_spark.tables.variant_tables import ALLELE_KEY, GENOTYPES, VARIANT_SITES, VARIANTS
from allofus_spark.tables.warehouse import (
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    Warehouse,
    rows_per_batch,
)
from allofus_spark.tables.withdrawal_tables import WITHDRAWAL_PROOFS, WITHDRAWALS
from allofus_spark.tables.write_ledger import NEVER, LastWrite, ledger_of
from allofus_spark.tables.writes import (
    WHOLE_TABLE,
    ArrowWrite,
    FilesWrite,
    Keys,
    MakeRows,
    Removal,
    RowsWrite,
    SideOutput,
    Write,
)

__all__ = [
    "ACCESS_AUDIT",
    "ACCESS_EVENTS",
    "ALLELE_COUNTS",
    "ALLELE_KEY",
    "ANCESTRY_LOADINGS",
    "ANCESTRY_MODELS",
    "ANCESTRY_TRAINING",
    "ASSOCIATIONS",
    "ASSOCIATION_SUMMARIES",
    "BIN_WIDTH_PROPERTY",
    "BUILD_PROPERTY",
    "BY_HAND",
    "CALLSETS",
    "CATALOGUES",
    "CATALOGUE_SETS",
    "CONSEQUENCES",
    "EVENTS",
    "GENOTYPES",
    "KNOWN_ASSOCIATIONS",
    "KNOWN_PARTITIONS",
    "KNOWN_VARIANTS",
    "MADE_BY",
    "META_ASSOCIATIONS",
    "NEVER",
    "NOVELTY",
    "NOVELTY_HISTORY",
    "OMOP_TABLES",
    "PARTITION_INPUTS",
    "PERSONS",
    "PERSON_SAMPLES",
    "PHENOTYPES",
    "PHENOTYPE_CATALOGUE",
    "PHENOTYPE_DEFINITIONS",
    "PHENOTYPE_PEOPLE",
    "PIPELINE_RUNS",
    "REJECTED_KNOWN_ASSOCIATIONS",
    "REJECTED_KNOWN_RECORDS",
    "REJECTED_OMOP_ROWS",
    "REJECTED_RECORDS",
    "RELATED_PAIRS",
    "REPLICATIONS",
    "REPLICATION_SUMMARY",
    "REPRESENTATION",
    "RESEARCHERS",
    "RUN_TABLES",
    "SAMPLES",
    "SAMPLE_OUTLIERS",
    "SAMPLE_QC",
    "SNAPSHOTS",
    "STAGING",
    "STRATA",
    "UNMAPPED_CODES",
    "UNRELATED",
    "VARIANTS",
    "VARIANT_SITES",
    "VARIANT_SUMMARY",
    "WHOLE_TABLE",
    "WITHDRAWALS",
    "WITHDRAWAL_PROOFS",
    "Among",
    "ArrowWrite",
    "Aside",
    "Column",
    "Deletion",
    "FilesWrite",
    "FoundFile",
    "Freshness",
    "Inputs",
    "Keys",
    "LastWrite",
    "LiveFile",
    "MakeRows",
    "OmopTable",
    "Partition",
    "Reader",
    "Recipe",
    "Removal",
    "RowsWrite",
    "Run",
    "SideOutput",
    "SnapshotReader",
    "SourceRecords",
    "Table",
    "Warehouse",
    "Write",
    "Zone",
    "allele_frequencies",
    "ancestries",
    "check_name",
    "column_batches",
    "content_hash",
    "content_hashes",
    "contract",
    "contracts",
    "hold_lease",
    "how_to_make",
    "inputs_by_scope",
    "inputs_write",
    "keep_newest_only",
    "ledger_of",
    "live_files",
    "live_names",
    "log_files",
    "names_removed_since",
    "partitions_predicate",
    "paths_by_partition",
    "pictures_of_people",
    "quoted",
    "read_columns",
    "record_run",
    "recorded_inputs",
    "remove_file",
    "rows_among",
    "rows_of_callset",
    "rows_of_callsets",
    "rows_per_batch",
    "start_run",
    "unreferenced_files",
    "variant_qc",
    "writing_journals",
]
