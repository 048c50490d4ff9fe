"""Genotype filters as text: presets, single rules, and what is refused."""

from __future__ import annotations

import re

import pytest

from allofus_spark.errors import SettingsError
from allofus_spark.ingest.filters import GenotypeFilters, parse_filters


def test_presets_are_the_release_s_rules() -> None:
    assert parse_filters(["adj"]) == GenotypeFilters(min_gq=20, min_dp=10, min_ab=0.2)
    assert parse_filters(["adj_no_dp"]) == GenotypeFilters(min_gq=30, min_ab=0.2)
    assert parse_filters(["ft", "adj"]).rules == ["FT", "GQ>=20", "DP>=10", "AB>=0.2"]
    assert parse_filters([]).rules == []


def test_single_rules_join_presets_unless_they_disagree() -> None:
    assert parse_filters(["adj", "GQ >= 20", "FT"]).rules == ["FT", "GQ>=20", "DP>=10", "AB>=0.2"]
    # A whole number reaches 12.5 from 13 on.
    assert parse_filters(["DP>=12.5"]).min_dp == 13
    with pytest.raises(SettingsError, match="limit GQ twice: adj, GQ>=30"):
        parse_filters(["adj", "GQ>=30"])


@pytest.mark.parametrize("rule", ["GQ>20", "PL>=3", "adjust", "GQ>=", "AB>=1.5", "FT>=1"])
def test_what_is_no_rule_is_named(rule: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(rule)):
        parse_filters([rule])
