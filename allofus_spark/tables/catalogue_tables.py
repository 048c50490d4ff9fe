"""Tables of known variants: catalogues by version, their alleles, and what became of their records."""

from dataclasses import replace

from allofus_spark.tables.callset_tables import REJECTED_RECORDS
from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import DATE, LONG, STRING, array, struct
from allofus_spark.tables.variant_tables import ALLELE_COLUMNS, ALLELE_KEY, PARTITION_COLUMNS

CATALOGUE_COLUMNS = (
    Column("catalogue", STRING, "Catalogue, such as dbsnp"),
    Column("version", STRING, "Version of the catalogue, such as 156"),
)

CATALOGUES = Table(
    name="catalogues",
    zone=Zone.PUBLIC,
    grain="one version of a catalogue of known variants",
    key=("catalogue", "version"),
    columns=(
        *CATALOGUE_COLUMNS,
        Column("catalogue_date", DATE, "Date as declared, else of the files; null: neither", True),
        Column("build", STRING, "Genome build of the files"),
        Column(
            "checksum",
            STRING,
            "SHA-256 (hex) of the file; of several files that of their sha256sum lines, by name",
        ),
        Column("source_files", array(STRING), "Paths of the files"),
        Column(
            "normalised_with",
            STRING,
            "SHA-256 of the FASTA that indels are left-aligned against; null: alleles are only trimmed",
            True,
        ),
        Column(
            "covered",
            array(struct(contig=STRING, first=LONG, last=LONG)),
            "Where an allele that is absent is unknown to the catalogue: intervals, 1-based and inclusive, "
            "as declared, else the whole of every contig that has an allele",
        ),
        Column("n_records", LONG, "Records read"),
        Column("n_alleles", LONG, "Distinct normalised alleles kept"),
        Column("n_not_comparable", LONG, "Symbolic alleles and breakends, which are not kept"),
        Column("n_refused", LONG, "Records refused; see rejected_known_records"),
    ),
    partition_by=("catalogue", "version"),
)

KNOWN_VARIANTS = Table(
    name="known_variants",
    zone=Zone.PUBLIC,
    grain="one normalised allele in one version of a catalogue",
    key=("catalogue", "version", *ALLELE_KEY),
    columns=(
        *CATALOGUE_COLUMNS,
        *ALLELE_COLUMNS,
        Column(
            "known_id",
            STRING,
            "IDs of the records with the allele, such as rs4680, sorted and joined by ;; null: none",
            True,
        ),
    ),
    partition_by=("catalogue", "version", "contig", "bin"),
    checks={"position_positive": "position >= 1", "ref_is_not_alt": "ref <> alt"},
)

KNOWN_PARTITIONS = Table(
    name="known_partitions",
    zone=Zone.PUBLIC,
    grain="one partition of known_variants: what tells whether its alleles are those of another version",
    key=("catalogue", "version", "contig", "bin"),
    columns=(
        *CATALOGUE_COLUMNS,
        *PARTITION_COLUMNS,
        Column("n_alleles", LONG, "Alleles in the partition"),
        Column("content_hash", LONG, "Exclusive or of the 64-bit hashes of position, ref, alt and known_id"),
    ),
    partition_by=("catalogue", "version"),
)

REJECTED_KNOWN_RECORDS = replace(
    REJECTED_RECORDS,
    name="rejected_known_records",
    zone=Zone.PUBLIC,
    grain="one refused record of a catalogue",
    key=("catalogue", "version", *REJECTED_RECORDS.key[1:]),
    columns=(*CATALOGUE_COLUMNS, *REJECTED_RECORDS.columns[1:]),
    partition_by=("catalogue", "version"),
)
