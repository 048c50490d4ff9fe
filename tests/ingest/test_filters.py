"""Genotype filters: presets, single rules, what each does to a call, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from allofus_spark.errors import BadSource, SettingsError
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.ingest.filters import GenotypeFilters, parse_filters
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from tests.cases.plain_ingest import HET, HOM_ALT, HOM_REF, MISSING, parse_file
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes


def test_presets_are_the_release_s_rules() -> None:
    assert parse_filters(["adj"]) == GenotypeFilters(min_gq=20, min_dp=10, min_ab=0.2)
    assert parse_filters(["adj_no_dp"]) == GenotypeFilters(min_gq=30, min_ab=0.2)
    assert parse_filters(["ft", "adj"]).rules == ["FT", "GQ>=20", "DP>=10", "AB>=0.2"]
    assert parse_filters([]).rules == []


def test_single_rules_join_presets_unless_they_disagree() -> None:
    assert parse_filters(["adj", "GQ >= 20", "FT"]).rules == ["FT", "GQ>=20", "DP>=10", "AB>=0.2"]
    assert parse_filters(["DP>=1000000", "AB>=0.25"]).rules == ["DP>=1000000", "AB>=0.25"]
    with pytest.raises(SettingsError, match="limit GQ twice: adj, GQ>=30"):
        parse_filters(["adj", "GQ>=30"])


@pytest.mark.parametrize("rule", ["GQ>20", "PL>=3", "adjust", "GQ>=", "AB>=1.5", "FT>=1", "GQ>=20.5"])
def test_what_is_no_rule_is_named(rule: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(rule)):
        parse_filters([rule])


def test_each_rule_on_single_calls(tmp_path: Path) -> None:
    """One sample a call: FT, GQ, DP and AD as written, and what becomes of it."""
    sites = {
        "0/1:PASS:20:10:8,2": HET,  # 2 of 10 reads are 0.2
        "0/1:.:20:10:8,2": HET,  # FT not given
        "0/1": "gq",  # values that are left out are missing
        "0/1:q10:99:99:50,50": "ft",
        "0/1:PASS;q10:99:99:50,50": "ft",
        "0/1:PASS:19:10:5,5": "gq",
        "0/1:PASS:19.9:10:5,5": "gq",
        "0/1:PASS:.:10:5,5": "gq",
        "0/1:PASS:20:9:5,5": "dp",
        "0/1:PASS:20:.:5,5": "dp",
        "0/1:PASS:20:10:81,20": "ab",
        "0/1:PASS:20:10:.": "ab",
        "0/1:PASS:20:10:.,9": "ab",
        "0/1:PASS:20:10:9": "ab",
        "0/1:PASS:20:10:0,0": "ab",
        "1/2:PASS:20:10:0,5,5": HET,
        "1/2:PASS:20:10:0,9,1": "ab",
        "0/2:PASS:20:10:5,0,5": HOM_REF,
        "0/0:PASS:20:10:1,9": HOM_REF,  # balance is asked of hets alone
        "1/1:PASS:20:10:9,1": HOM_ALT,
        "./.:PASS:.:.:.": MISSING,
        "./1:q10:.:.:.": "half",  # the policy on half calls comes first
    }
    filters = parse_filters(["ft", "adj"])
    record = "chr1 100 . A T,C . PASS . GT:FT:GQ:DP:AD " + " ".join(sites)
    names = [f"S{number}" for number in range(len(sites))]
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([record], names)), filters=filters)
    expected = [call if isinstance(call, int) else MISSING for call in sites.values()]
    assert parsed.calls["chr1:100:A:T"] == expected
    counted = Counter(call for call in sites.values() if isinstance(call, str))
    row = parsed.alleles[0]
    assert {rule: row[f"n_{rule}_calls_missing"] for rule in counted} == counted
    # FT is not among the rules of a high-quality call: two that fail it count.
    assert row["n_high_quality_calls"] == 8


def test_a_source_without_the_field_is_refused_by_name(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a.vcf", vcf_text([gt_record("0/1", "0/0")]))
    filtered = Warehouse(
        warehouse.spark,
        load_settings(warehouse=str(tmp_path / "w"), overrides=['ingest.genotype_filters=["adj"]']),
    )
    message = r"GQ>=20, DP>=10, AB>=0\.2 need GQ, DP, AD, which .*a\.vcf does not give"
    with pytest.raises(BadSource, match=message):
        ingest_genotypes(filtered, [str(path)], callset_id="c", callset_date="2026-01-01", build="GRCh38")
