"""The call encoding and the kernels that count it."""

from allofus_spark.genotypes.counting import count_by_stratum
from allofus_spark.genotypes.encoding import (
    DENSE,
    HET,
    HOM_ALT,
    HOM_REF,
    MISSING,
    SPARSE,
    CallBatch,
    Packed,
    choose_sparse,
    decode,
    encode,
    pack,
    packed_width,
    rows_that_fit,
    unpack,
)
from allofus_spark.genotypes.joining import join_calls, recode_calls
from allofus_spark.genotypes.pgen_header import pgen_header
from allofus_spark.genotypes.plink1 import BED_HEADER, bed_from_packed
from allofus_spark.genotypes.scoring import add_weighted_calls
from allofus_spark.genotypes.standardised import standardise, standardised_values
from allofus_spark.genotypes.subset import take_samples

__all__ = [
    "BED_HEADER",
    "DENSE",
    "HET",
    "HOM_ALT",
    "HOM_REF",
    "MISSING",
    "SPARSE",
    "CallBatch",
    "Packed",
    "add_weighted_calls",
    "bed_from_packed",
    "choose_sparse",
    "count_by_stratum",
    "decode",
    "encode",
    "join_calls",
    "pack",
    "packed_width",
    "pgen_header",
    "recode_calls",
    "rows_that_fit",
    "standardise",
    "standardised_values",
    "take_samples",
    "unpack",
]
