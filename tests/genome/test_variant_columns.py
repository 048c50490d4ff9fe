"""Variant ids and types: Spark and Python agree; long alleles stay apart; kinds are told apart."""

from __future__ import annotations

import hashlib

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from allofus_spark.genome import Build, variant_id, variant_id_expr, variant_type_expr

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


def test_ids_of_spark_and_python_agree(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ALLELES, "contig string, position int, ref string, alt string")
    rows = frame.select(
        variant_id_expr(f.col("contig"), f.col("position"), f.col("ref"), f.col("alt"))
    ).collect()
    assert [row[0] for row in rows] == [variant_id(*allele) for allele in ALLELES]


def test_ids_are_as_documented() -> None:
    assert Build.variant_id("chr2", 109_000_000, "A", "G") == "2-109000000-A-G"
    assert variant_id("chrM", 73, "A", "G") == variant_id("MT", 73, "A", "G") == "MT-73-A-G"
    assert variant_id("chr2", 9, LONG, "A") == f"2-9-{LONG}-A"
    digest = hashlib.sha256(f"{LONG}A".encode()).hexdigest()
    assert variant_id("chr2", 9, f"{LONG}A", "A") == f"2-9-101:{digest[:16]}-A"
    # chrM and MT are one contig's names on two builds; everything else differs.
    assert len({variant_id(*allele) for allele in ALLELES}) == len(ALLELES) - 1


def test_variant_types(spark: SparkSession) -> None:
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
    frame = spark.createDataFrame(expected, "ref string, alt string, expected string")
    rows = frame.select("ref", "alt", variant_type_expr(f.col("ref"), f.col("alt")).alias("kind")).collect()
    assert [tuple(row) for row in rows] == expected
