"""Tables of what variants do to transcripts, and of how many variants of each kind there are."""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BOOLEAN, LONG, STRING, STRINGS
from allofus_spark.tables.variant_tables import ALLELE_COLUMNS, ALLELE_KEY

NOT_ANNOTATED_REASONS = {
    "symbolic": "the allele has no sequence",
    "breakend": "the allele is a join to another place",
    "ambiguous_base": "ref or alt has a base other than A, C, G and T",
    "not_in_reference": "the FASTA has no bases at the position",
    "ref_mismatch": "ref is not the reference sequence",
    "contig_without_genes": "the annotation has no gene on the contig",
}

# Strongest first.
IMPACTS = ("HIGH", "MODERATE", "LOW", "MODIFIER")

CONSEQUENCES = Table(
    name="consequences",
    zone=Zone.REGISTERED,
    grain="one allele of the cohort and one transcript, by one annotator; an allele in no transcript has one "
    "row with a null transcript",
    key=("annotator", *ALLELE_KEY, "transcript_id"),
    columns=(
        Column("annotator", STRING, "What made the annotation: csq, or the name given to an imported table"),
        *ALLELE_COLUMNS,
        Column("transcript_id", STRING, "Transcript, as ENST00000361682; null: none hit", True),
        Column("gene_id", STRING, "Gene, such as ENSG00000093010; null: none, or not known", True),
        Column("gene_symbol", STRING, "Name of the gene, such as COMT; null: none, or not known", True),
        Column("biotype", STRING, "Biotype of the transcript, such as protein_coding", True),
        Column(
            "terms",
            STRINGS,
            "Sequence Ontology terms, most severe first, such as missense_variant; empty: see not_annotated",
        ),
        Column("impact", STRING, "HIGH, MODERATE, LOW or MODIFIER, of the first term; null: no term", True),
        Column("aa_change", STRING, "Amino-acid change as the annotator writes it, such as 158V>158M", True),
        Column("dna_change", STRING, "Change of the transcript as the annotator writes it", True),
        Column(
            "is_most_severe",
            BOOLEAN,
            "The one row of the allele with its most severe consequence; ties: protein_coding, then "
            "the first transcript_id",
        ),
        Column("is_coding", BOOLEAN, "A term is one of the coding consequences (docs/methods.md)"),
        Column(
            "not_annotated",
            STRING,
            "Why the annotator could not say: "
            + "; ".join(f"{name}: {meaning}" for name, meaning in NOT_ANNOTATED_REASONS.items()),
            True,
        ),
        Column("annotation_version", STRING, "What the annotation was made with: program, genes, sequence"),
    ),
    partition_by=("annotator", "contig", "bin"),
    checks={
        "no_term_iff_not_annotated": "(not_annotated IS NULL) = (impact IS NOT NULL)",
        "impact_known": f"impact IS NULL OR impact IN ({', '.join(map(repr, IMPACTS))})",
    },
)

VARIANT_SUMMARY = Table(
    name="variant_summary",
    zone=Zone.REGISTERED,
    grain="one class of variants, of those present in one ancestry",
    key=("catalogue_set", "annotator", "ancestry", "dimension", "class"),
    columns=(
        Column("catalogue_set", STRING, "Set of catalogues that novelty is judged by"),
        Column("annotator", STRING, "Annotator of the consequences"),
        Column("ancestry", STRING, "Ancestry group in which the allele count is above 0; all: in anybody"),
        Column("dimension", STRING, "all, type, consequence, frequency or filter: what classes are made by"),
        Column("class", STRING, "Class of the dimension, such as snv or missense_variant"),
        Column("n_variants", LONG, "Alleles"),
        Column("n_reported", LONG, "Alleles that a catalogue has"),
        Column("n_known_site_new_allele", LONG, "Alleles new at a position that a catalogue has"),
        Column("n_unreported", LONG, "Alleles at a position that no catalogue has"),
        Column("n_not_assessable", LONG, "Alleles of which the catalogues cannot tell"),
        Column("n_not_flagged", LONG, "Alleles that novelty has no row of against the set: not looked at"),
        Column(
            "n_coding", LONG, "Alleles with a coding consequence; null: the annotator has no allele", True
        ),
        Column(
            "n_new_coding",
            LONG,
            "Alleles with a coding consequence among n_known_site_new_allele and n_unreported; null: as "
            "n_coding, or no allele is flagged",
            True,
        ),
    ),
    partition_by=("catalogue_set", "annotator"),
    checks={
        "statuses_add_up": "n_variants = n_reported + n_known_site_new_allele + n_unreported "
        "+ n_not_assessable + n_not_flagged",
    },
)
