"""Variant ids are read back as they were written, and columns of them as one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allofus_spark.genome import parse_variant_id, variant_id
from allofus_spark.genome.variant_ids import allele_in_id
from allofus_spark.ingest.catalogue.table_lines import split_variant

# What VCF allows in a contig's name, but for its first character.
CONTIG = st.text("AXM019*:._-+|~@%", min_size=1).filter(lambda name: name[0] not in "*=")
BASES = st.text("ACGTNacgtn", min_size=1, max_size=130)
SYMBOLIC = st.sampled_from(
    ["<DEL>", "<INS:ME:ALU>", "<CN-0>", "G[HLA-A*01:01-5-A:7[", "]chr2:5-1]T", "G.", "*"]
)


@given(CONTIG, st.integers(1, 2**31 - 1), BASES, BASES | SYMBOLIC)
def test_an_id_is_read_back(contig: str, position: int, ref: str, alt: str) -> None:
    written = variant_id(contig, position, ref, alt)
    short = contig.removeprefix("chr")
    assert parse_variant_id(written) == (
        "MT" if short == "M" else short,
        position,
        allele_in_id(ref),
        allele_in_id(alt),
    )


@given(CONTIG, st.integers(1, 2**31 - 1), BASES, BASES | SYMBOLIC)
def test_colons_stand_for_dashes(contig: str, position: int, ref: str, alt: str) -> None:
    written = f"{contig}:{position}:{ref}:{alt}"
    # The dashes inside of a name or an allele can make an id of their own.
    if "-" not in written:
        assert parse_variant_id(written) == (contig, position, ref, alt)


NO_IDS = ["", "22", "COMT", "rs4680", "22-5-A", "22--A-C", "-5-A-C", "22-5--C", "22-5-A-", "22-5,0-A-C"]
NO_IDS += ["22-x-A-C", "22-5-1-C", "22:5-A:C", "22-12345678901-A-C", "22 5 A C", "22-5-A-C G", "<X>-5-A-C"]
NO_IDS += ["22-\u0665-A-C"]  # a digit, but not of ASCII


@pytest.mark.parametrize("text", NO_IDS)
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse_variant_id(text) is None


def kernel(text: str) -> tuple[str, int, str, str] | None:
    data = text.encode()
    slices = np.zeros((5, 2), np.int64)
    if not split_variant(np.frombuffer(data, np.uint8), 0, len(data), slices):
        return None
    contig, position, _, ref, alt = (data[start:end].decode() for start, end in slices)
    return contig, int(position), ref, alt


IDS = st.tuples(CONTIG, st.integers(1, 10**11), BASES, BASES | SYMBOLIC)


@given(
    st.text("-::15AC[<>a", max_size=40)
    | IDS.map(lambda allele: variant_id(*allele))
    | IDS.map(lambda allele: ":".join(map(str, allele)))
)
@example("1-5-101:0123456789abcdef-A")
@example("1:5:101:0123456789abcdef:A")
@example("HLA-A*01:01:01:01-5-A-C")
@example("HLA*01:01:01:01:5:A:C")
def test_the_kernel_of_tables_reads_the_same(text: str) -> None:
    assert kernel(text) == parse_variant_id(text)
