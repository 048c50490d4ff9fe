"""Tables of what is known of each variant: its status against catalogues, and how that changed."""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import INT, STRING, STRINGS, array, mapping, struct
from allofus_spark.tables.variant_tables import ALLELE_COLUMNS, ALLELE_KEY, PARTITION_COLUMNS

REPORTED = "reported"
KNOWN_SITE_NEW_ALLELE = "known_site_new_allele"
UNREPORTED = "unreported"
NOT_ASSESSABLE = "not_assessable"
# None of the catalogues has the allele: what is called previously unreported.
NEW_STATUSES = (KNOWN_SITE_NEW_ALLELE, UNREPORTED)
STATUSES = (REPORTED, KNOWN_SITE_NEW_ALLELE, UNREPORTED, NOT_ASSESSABLE)
# The first that holds is given.
NOT_ASSESSABLE_REASONS = {
    "symbolic": "the allele has no sequence",
    "breakend": "the allele is a join to another place",
    "ambiguous_base": "ref or alt has a base other than A, C, G and T",
    "not_covered": "no catalogue covers the position",
    "not_aligned": "an insertion or deletion, and no catalogue that covers it was left-aligned against the "
    "FASTA of the callset that first had it",
}

_SET = Column("catalogue_set", STRING, "Name of the set of catalogues that variants are held against")

CATALOGUE_SETS = Table(
    name="catalogue_sets",
    zone=Zone.REGISTERED,
    grain="one revision of a set of catalogues; the last one is what novelty says",
    key=("catalogue_set", "revision"),
    columns=(
        _SET,
        Column("revision", INT, "Number of the revision, rising from 1"),
        Column("versions", mapping(STRING, STRING), "Version of each catalogue"),
        Column(
            "fingerprints",
            mapping(STRING, STRING),
            "Digest of each catalogue's files, of what they cover, and of the FASTA they are aligned with",
        ),
    ),
)

NOVELTY = Table(
    name="novelty",
    zone=Zone.REGISTERED,
    grain="one allele of the cohort against one set of catalogues",
    key=("catalogue_set", *ALLELE_KEY),
    columns=(
        _SET,
        *ALLELE_COLUMNS,
        Column(
            "status",
            STRING,
            "reported: a catalogue has the allele; known_site_new_allele: none has it, and one has another "
            "at the position; unreported: none has either; not_assessable: see reason",
        ),
        Column(
            "reason",
            STRING,
            "Why not assessable: "
            + "; ".join(f"{name}: {meaning}" for name, meaning in NOT_ASSESSABLE_REASONS.items()),
            True,
        ),
        Column(
            "reports",
            array(struct(catalogue=STRING, known_id=STRING)),
            "Catalogues that have the allele, with its id there",
        ),
        Column("site_known_to", STRINGS, "Catalogues that have another allele at the position, not this one"),
        Column(
            "compared_with",
            STRINGS,
            "Catalogues that could have had the allele: they cover the position and write it alike, or "
            "have it",
        ),
    ),
    partition_by=("catalogue_set", "contig", "bin"),
    checks={
        "status_known": f"status IN ({', '.join(repr(status) for status in STATUSES)})",
        "reason_iff_not_assessable": "(status = 'not_assessable') = (reason IS NOT NULL)",
    },
)

NOVELTY_HISTORY = Table(
    name="novelty_history",
    zone=Zone.REGISTERED,
    grain="one allele whose status a revision of the catalogue set changed",
    key=("catalogue_set", "revision", *ALLELE_KEY),
    columns=(
        _SET,
        Column("revision", INT, "Revision of the set (catalogue_sets) that changed the status"),
        *ALLELE_COLUMNS,
        Column("from_status", STRING, "Status before"),
        Column("to_status", STRING, "Status since"),
    ),
    partition_by=("catalogue_set", "revision"),
)

PARTITION_INPUTS = Table(
    name="partition_inputs",
    zone=Zone.REGISTERED,
    grain="one partition that a stage made: what it was made from, so that only what changed is made anew",
    key=("stage", "scope", "contig", "bin"),
    columns=(
        Column("stage", STRING, "Table that was made"),
        Column("scope", STRING, "Part of that table: a catalogue set, or an annotator"),
        *PARTITION_COLUMNS,
        Column("inputs", mapping(STRING, STRING), "Fingerprint of each input, by its name"),
    ),
    partition_by=("stage", "scope"),
)
