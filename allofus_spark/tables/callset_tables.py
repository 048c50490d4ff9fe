"""Tables of what was ingested: callsets, their samples, and the records that were refused."""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import DATE, INT, LONG, STRING, STRINGS

CALLSETS = Table(
    name="callsets",
    zone=Zone.CONTROLLED,
    grain="one joint callset",
    key=("callset_id",),
    columns=(
        Column("callset_id", STRING, "Name given at ingest"),
        Column("callset_date", DATE, "Declared date; decides which callset is the first to carry an allele"),
        Column("build", STRING, "Genome build, the same for the whole warehouse"),
        Column("n_samples", INT, "Samples in the callset's header"),
        Column("sample_list_sha256", STRING, "SHA-256 of the sample ids in column order, one a line"),
        Column("source_fingerprint", STRING, "SHA-256 over name, size and header of every source file"),
        Column("source_files", STRINGS, "Source files, in path order"),
        Column(
            "normalised_with", STRING, "SHA-256 of the FASTA used to left-align; null: trimmed only", True
        ),
        Column("genotype_filters", STRINGS, "Genotype filters applied at ingest; empty: none"),
        Column("retired_by", STRING, "Callset that replaced this one; null: active", True),
    ),
    partition_by=("callset_id",),
    sort_by=("callset_date",),
)

SAMPLES = Table(
    name="samples",
    zone=Zone.CONTROLLED,
    grain="one sample of a callset",
    key=("callset_id", "sample_id"),
    columns=(
        Column("callset_id", STRING, "Callset that the sample belongs to"),
        Column("sample_id", STRING, "Sample id as written in the source; always text"),
        Column(
            "sample_index",
            INT,
            "0-based place of the sample in the callset's genotypes; null: described in a sample file, "
            "not in the callset",
            True,
        ),
        Column("sex_karyotype", STRING, "XX, XY or other; null: not known", True),
        Column("ancestry", STRING, "Supplied ancestry group in lower case; null: no label", True),
    ),
    partition_by=("callset_id",),
    sort_by=("sample_index", "sample_id"),
    checks={
        "sex_karyotype_known": "sex_karyotype IS NULL OR sex_karyotype IN ('XX', 'XY', 'other')",
        "sample_index_not_negative": "sample_index IS NULL OR sample_index >= 0",
    },
)

REJECTED_RECORDS = Table(
    name="rejected_records",
    zone=Zone.CONTROLLED,
    grain="one refused input record, or one refused allele of a record",
    key=("callset_id", "source_file", "source_offset", "input_allele"),
    columns=(
        Column("callset_id", STRING, "Callset that was being ingested"),
        Column("source_file", STRING, "Path of the source file"),
        Column(
            "source_offset",
            LONG,
            "Where the record starts: BGZF virtual offset (bgzip) or offset in bytes of the text",
        ),
        Column("input_allele", INT, "1-based ALT number in the record; 0: the whole record was refused"),
        Column("reason", STRING, "Why, from a closed list (see docs/methods.md)"),
        # Of an allele that was read and then refused, the text of the record is no longer at hand.
        Column("chrom", STRING, "CHROM as written; for duplicate_allele as the build spells it", True),
        Column("pos", STRING, "POS as written; for duplicate_allele the number", True),
        Column("id", STRING, "ID as written; for duplicate_allele null for a dot", True),
        Column("ref", STRING, "REF as written", True),
        Column("alt", STRING, "ALT as written", True),
        Column("qual", STRING, "QUAL as written; for duplicate_allele the number, null for a dot", True),
        Column("filter", STRING, "FILTER as written; for duplicate_allele null for a dot", True),
    ),
    partition_by=("callset_id",),
)
