"""Tables keyed by variant: the alleles, where each callset saw them, and their packed genotypes."""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BINARY, DOUBLE, INT, INTS, STRING, STRINGS

ALLELE_KEY = ("contig", "bin", "position", "ref", "alt")

PARTITION_COLUMNS = (
    Column("contig", STRING, "Contig as the build spells it"),
    Column("bin", INT, "position div the warehouse's bin width: the unit of recompute"),
)

ALLELE_COLUMNS = (
    *PARTITION_COLUMNS,
    Column("position", INT, "1-based position of the first base of ref, after normalisation"),
    Column("ref", STRING, "Reference allele, upper case, after normalisation"),
    Column("alt", STRING, "Alternate allele, upper case, after normalisation"),
)

CALLSET_COLUMN = Column("callset_id", STRING, "Callset that has the record")

VARIANTS = Table(
    name="variants",
    zone=Zone.REGISTERED,
    grain="one normalised bi-allelic allele, over all callsets",
    key=ALLELE_KEY,
    columns=(
        *ALLELE_COLUMNS,
        Column("variant_id", STRING, "contig-position-ref-alt without chr, M written MT"),
        Column("variant_type", STRING, "snv, mnv, insertion, deletion, complex, symbolic or breakend"),
        Column(
            "first_callset_id", STRING, "Callset with the lowest (date, id) that has a record of the allele"
        ),
    ),
    partition_by=("contig", "bin"),
    checks={"position_positive": "position >= 1", "ref_is_not_alt": "ref <> alt"},
)

# By rule, in the order in which rules are applied: a call is counted by the first that takes it away.
CALLS_MISSING = (
    Column("n_half_calls_missing", INT, "Calls set to missing: one allele called, the other not"),
    Column("n_haploid_calls_missing", INT, "Calls set to missing: one allele where two are meant"),
    Column("n_polyploid_calls_missing", INT, "Calls set to missing: more than two alleles"),
    Column("n_ft_calls_missing", INT, "Calls set to missing by the genotype filter FT"),
    Column("n_gq_calls_missing", INT, "Calls set to missing by the genotype filter on GQ"),
    Column("n_dp_calls_missing", INT, "Calls set to missing by the genotype filter on DP"),
    Column("n_ab_calls_missing", INT, "Calls set to missing by the genotype filter on allele balance"),
)

VARIANT_SITES = Table(
    name="variant_sites",
    zone=Zone.REGISTERED,
    grain="one allele in one callset: what the source said about its site",
    key=("callset_id", *ALLELE_KEY),
    columns=(
        CALLSET_COLUMN,
        *ALLELE_COLUMNS,
        Column("filters", STRINGS, "FILTER: empty: passed; null: filters not applied", True),
        Column("qual", DOUBLE, "QUAL, phred-scaled", True),
        Column("input_id", STRING, "ID as written; null: none", True),
        Column("input_position", INT, "POS as written, 1-based"),
        Column("input_ref", STRING, "REF as written"),
        Column("input_alts", STRING, "ALT as written, all alleles of the record"),
        Column("input_allele", INT, "1-based number of this allele in ALT"),
        Column("n_alts", INT, "Alternates of the record, * and reference blocks included"),
        *CALLS_MISSING,
        Column(
            "n_high_quality_calls",
            INT,
            "Called genotypes of the record with GQ >= 20, DP >= 10 and, where het, allele balance >= 0.2, "
            "before any filter; null: the source does not give GQ, DP and AD",
            True,
        ),
    ),
    partition_by=("callset_id", "contig", "bin"),
    checks={"position_positive": "position >= 1"},
)

GENOTYPES = Table(
    name="genotypes",
    zone=Zone.CONTROLLED,
    grain="one allele in one callset: the calls of all its samples",
    key=("callset_id", *ALLELE_KEY),
    columns=(
        CALLSET_COLUMN,
        *ALLELE_COLUMNS,
        Column("n_samples", INT, "Samples in the callset: the length of the call vector"),
        Column("encoding", STRING, "dense: see calls; sparse: see the three index columns"),
        Column("het_index", INTS, "sparse: sorted sample indices with one alt copy of two", True),
        Column(
            "hom_alt_index", INTS, "sparse: sorted sample indices with two alt copies, or one of one", True
        ),
        Column("missing_index", INTS, "sparse: sorted sample indices without a call", True),
        Column(
            "calls",
            BINARY,
            "dense: 2 bits a sample, first sample in the low bits: 0 hom-ref, 1 het, 2 hom-alt, 3 missing",
            True,
        ),
    ),
    partition_by=("callset_id", "contig", "bin"),
    checks={
        "encoding_is_whole": "(encoding = 'dense' AND calls IS NOT NULL) OR (encoding = 'sparse' AND "
        "het_index IS NOT NULL AND hom_alt_index IS NOT NULL AND missing_index IS NOT NULL)",
    },
)
