"""Genome builds, contigs, the reference sequence, and the one normal form and id of each allele."""

from allofus_spark.genome.builds import (
    DIPLOID,
    MITOCHONDRIAL,
    OLD_MITOCHONDRION,
    X_NONPAR,
    Y_NONPAR,
    Build,
)
from allofus_spark.genome.columns import (
    normalise_columns,
    ploidy_regions,
    reasons_without_sequence,
    variant_ids,
    variant_types,
)
from allofus_spark.genome.known_builds import build_as_text, build_from_text, load_build
from allofus_spark.genome.long_range_ld import long_range_ld
from allofus_spark.genome.match_kernels import match_alleles
from allofus_spark.genome.normalise import normalise_alleles
from allofus_spark.genome.ref_alleles import reference_mismatches, reference_unknown
from allofus_spark.genome.reference import ReferenceSequence
from allofus_spark.genome.variant_ids import parse_variant_id, variant_id

__all__ = [
    "DIPLOID",
    "MITOCHONDRIAL",
    "OLD_MITOCHONDRION",
    "X_NONPAR",
    "Y_NONPAR",
    "Build",
    "ReferenceSequence",
    "build_as_text",
    "build_from_text",
    "load_build",
    "long_range_ld",
    "match_alleles",
    "normalise_alleles",
    "normalise_columns",
    "parse_variant_id",
    "ploidy_regions",
    "reasons_without_sequence",
    "reference_mismatches",
    "reference_unknown",
    "variant_id",
    "variant_ids",
    "variant_types",
]
