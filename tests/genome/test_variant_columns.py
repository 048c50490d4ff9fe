"""Variant ids and types: columns and single alleles agree; long alleles stay apart; kinds are told apart."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from allofus_spark.genome import Build, reasons_without_sequence, variant_id, variant_ids, variant_types

LONG = "ACGT" * 25
ALLELES = [
    ("chr1", 1001, "A", "G"),
    ("chrX", 155_701_383, "AC", "A"),
    ("X", 1, "A", "AC"),
    ("chrM", 73, "A", "G"),
    ("MT", 73, "A", "G"),
    ("NC_001807", 73, "A", "G"),
    ("chrUn_KI270302v1", 50, "A", "C"),
    ("chr2", 100_000, "T", "<DEL>"),
    ("chr2", 200_000, "G", "G[chr7:5000000["),
    ("chr2", 2_147_483_647, LONG, "A"),
    ("chr2", 300_000, LONG + "A", "A"),
    ("chr2", 300_000, LONG + "C", "A"),
    ("chr2", 300_000, "A", LONG * 400),
]


def test_ids_of_columns_and_single_alleles_agree() -> None:
    contig, position, ref, alt = (pa.array(column) for column in zip(*ALLELES, strict=True))
    assert variant_ids(contig, position, ref, alt).to_pylist() == [variant_id(*allele) for allele in ALLELES]


def test_an_id_without_one_of_its_parts_is_null() -> None:
    parts = (pa.array(["chr1"]), pa.array([5]), pa.array(["A"]), pa.array(["C"]))
    for place, absent in enumerate((pa.string(), pa.int32(), pa.string(), pa.string())):
        columns = [*parts[:place], pa.nulls(1, absent), *parts[place + 1 :]]
        assert variant_ids(*columns).to_pylist() == [None]


def test_ids_are_as_documented() -> None:
    assert Build.variant_id("chr2", 109_000_000, "A", "G") == "2-109000000-A-G"
    assert variant_id("chrM", 73, "A", "G") == variant_id("MT", 73, "A", "G") == "MT-73-A-G"
    assert variant_id("chr2", 9, LONG, "A") == f"2-9-{LONG}-A"
    digest = hashlib.sha256(f"{LONG}A".encode()).hexdigest()
    assert variant_id("chr2", 9, f"{LONG}A", "A") == f"2-9-101:{digest[:16]}-A"
    # chrM and MT are one contig's names on two builds; everything else differs.
    assert len({variant_id(*allele) for allele in ALLELES}) == len(ALLELES) - 1


def test_variant_types() -> None:
    expected = [
        ("A", "G", "snv"),
        ("AC", "GT", "mnv"),
        ("A", "AC", "insertion"),
        ("A", "CA", "insertion"),  # at a contig's first base
        ("AC", "A", "deletion"),
        ("CA", "A", "deletion"),
        ("A", "CG", "complex"),
        ("AC", "GTT", "complex"),
        ("ACG", "T", "complex"),
        ("T", "<DEL>", "symbolic"),
        ("T", "<INS:ME:ALU>", "symbolic"),
        ("T", "*", "symbolic"),
        ("G", "G[chr7:5000000[", "breakend"),
        ("G", "]13:123456]AG", "breakend"),
        ("G", "[<ctg1>:7[G", "breakend"),
        ("G", "G.", "breakend"),
        ("G", ".G", "breakend"),
        ("N", "A", "snv"),
        ("A", None, None),
        (None, "A", None),
    ]
    ref, alt, kinds = (pa.array(column, pa.string()) for column in zip(*expected, strict=True))
    assert variant_types(ref, alt).to_pylist() == kinds.to_pylist()


def test_reasons_without_sequence() -> None:
    expected = [
        ("A", "G", None),
        ("ACGT", "A", None),
        ("A", "<DEL>", "symbolic"),
        ("A", "*", "symbolic"),
        ("A", "A[chr2:5[", "breakend"),
        ("A", "A.", "breakend"),
        ("A", "N", "ambiguous_base"),
        ("R", "C", "ambiguous_base"),
        ("N", "<DEL>", "symbolic"),
    ]
    ref, alt, reasons = (pa.array(column, pa.string()) for column in zip(*expected, strict=True))
    assert reasons_without_sequence(ref, alt).to_pylist() == reasons.to_pylist()
