"""Calls that genotype filters set to missing, on real files with AD, DP and GQ: bcftools +setGT and cyvcf2.

The rules restated: GQ, then DP, then allele balance, each on the calls that are left; a value that is absent
fails; balance is asked of heterozygotes, of each called ALT, as its share of the sum of AD.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from cyvcf2 import VCF, Variant

from allofus_spark.ingest.filters import GenotypeFilters, parse_filters
from tests.cases.plain_ingest import parse_file, plain_calls

pytestmark = pytest.mark.long


FILES = (
    "hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz",
    "hail_sample_100_chr20_AD_DP_GQ_PL.grch37.vcf.gz",
    "1kg_p3broad_2535_chr22_5var_AD_GQ_PL.grch37.vcf.gz",  # GT is not the first of FORMAT
)
RULES = ("gq", "dp", "ab")


def values(variant: Variant, name: str) -> npt.NDArray[np.float64]:
    """float64[n, k]; NaN where absent."""
    found = variant.format(name)
    if found is None:
        return np.full((len(variant.genotypes), 1), np.nan)
    return np.where(found < 0, np.nan, found.astype(float)).reshape(len(found), -1)


def balances(variant: Variant, alleles: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Least share of the reads of a called ALT at hets, 1 at homozygotes; NaN where AD does not say."""
    depths = values(variant, "AD")
    shares = np.ones(len(alleles))
    for sample, (first, second) in enumerate(alleles):
        if first != second:
            known = depths[sample][: len(variant.ALT) + 1]
            total = known.sum() if len(known) == len(variant.ALT) + 1 else np.nan
            called = [known[allele] for allele in (first, second) if allele > 0]
            shares[sample] = min(called) / total if total else np.nan
    return shares


def plain_filter(variant: Variant, filters: GenotypeFilters) -> tuple[dict[str, int], npt.NDArray[np.bool_]]:
    """Calls set to missing by each rule, and which calls are left."""
    alleles = np.array([genotype[:2] for genotype in variant.genotypes])
    left = (alleles >= 0).all(axis=1)
    counts = {}
    measured = (values(variant, "GQ")[:, 0], values(variant, "DP")[:, 0], balances(variant, alleles))
    for rule, value, limit in zip(
        RULES, measured, (filters.min_gq, filters.min_dp, filters.min_ab), strict=True
    ):
        failed = left & ~(value >= limit) if limit is not None else np.zeros(len(left), np.bool_)
        counts[rule] = int(failed.sum())
        left &= ~failed
    return counts, left


@pytest.mark.parametrize("preset", ["adj", "adj_no_dp"])
@pytest.mark.parametrize("name", FILES)
def test_each_rule_sets_the_calls_to_missing_that_cyvcf2_finds(
    realdata: Path, name: str, preset: str
) -> None:
    path = realdata / "multisample" / name
    filters = parse_filters([preset])
    parsed = parse_file(path, build="GRCh37", filters=filters)
    by_site: dict[tuple[int, str, str], list[dict[str, object]]] = {}
    for row in parsed.alleles:
        by_site.setdefault((row["input_position"], row["input_ref"], row["input_alts"]), []).append(row)
    unfiltered = parse_file(path, build="GRCh37")
    before = {(row["source_offset"], row["input_allele"]): row for row in unfiltered.alleles}
    seen, totals = 0, dict.fromkeys(RULES, 0)
    for variant in VCF(str(path)):
        counts, left = plain_filter(variant, filters)
        high_quality = int(plain_filter(variant, parse_filters(["adj"]))[1].sum())
        for row in by_site.get((variant.POS, variant.REF, ",".join(variant.ALT)), []):
            assert {rule: row[f"n_{rule}_calls_missing"] for rule in RULES} == counts
            assert row["n_high_quality_calls"] == high_quality
            calls = plain_calls(row)
            expected = np.where(left, plain_calls(before[row["source_offset"], row["input_allele"]]), 3)
            assert calls == expected.tolist()
            seen += 1
        for rule, count in counts.items():
            totals[rule] += count
    assert seen == len(parsed.alleles) > 0
    assert {rule: parsed.counters[f"calls_missing_{rule}"] for rule in RULES} == totals
    assert totals["gq"] > 0


def test_counts_of_each_rule_are_those_of_bcftools_setgt(
    realdata: Path, tmp_path: Path, oracle: Callable[[str], str]
) -> None:
    bcftools = oracle("bcftools")
    source = realdata / "multisample" / FILES[1]
    path = tmp_path / "biallelic.vcf.gz"
    command = [bcftools, "view", "-m2", "-M2", "-i", 'ALT!="*"', "-Oz", "-o", str(path), str(source)]
    subprocess.run(command, check=True)
    counters = parse_file(path, build="GRCh37", filters=parse_filters(["adj"])).counters
    expressions = {
        "gq": '(FMT/GQ<20 | FMT/GQ=".") & GT!="mis"',
        "dp": '(FMT/DP<10 | FMT/DP=".") & GT!="mis"',
        "ab": 'GT="het" & (FMT/AD[*:1]/(FMT/AD[*:0]+FMT/AD[*:1])<0.2 | FMT/AD[*:1]=".")',
    }
    for number, (rule, expression) in enumerate(expressions.items()):
        after = tmp_path / f"{number}.vcf.gz"
        done = subprocess.run(
            [bcftools, "+setGT", str(path), "-Oz", "-o", str(after),
             "--", "-t", "q", "-n", ".", "-i", expression],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        filled = re.search(r"Filled (\d+) alleles", done.stderr)
        assert filled, done.stderr
        assert int(filled[1]) == 2 * counters[f"calls_missing_{rule}"] > 0
        path = after
