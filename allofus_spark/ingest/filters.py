"""Genotype filters: rules on a call's GQ, DP, allele balance and FT that set it to missing at ingest.

Rules are applied in the order FT, GQ, DP, AB, and a call counts for the first that it fails. A call without
the value that a rule asks for fails it (nothing shows that it is good), with two exceptions: FT absent is a
pass, and allele balance is asked of heterozygotes alone. Allele balance is the share of the reads of all
alleles (the sum of AD) that carry a called ALT; of two called ALTs each must reach it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.errors import SettingsError

# The release's rules: All of Us Research Program, Genomic Research Data Quality Report (2022 on); `adj` is
# gnomAD's too (Karczewski et al. 2020).
PRESETS = {
    "adj": ("GQ>=20", "DP>=10", "AB>=0.2"),
    "adj_no_dp": ("GQ>=30", "AB>=0.2"),
    "ft": ("FT",),
}
_RULE = re.compile(r"(GQ|DP)>=([0-9]{1,9})|(AB)>=(0(?:\.[0-9]+)?|1(?:\.0+)?)")
_FIELDS = {"GQ": "GQ", "DP": "DP", "AB": "AD"}


@dataclass(frozen=True)
class GenotypeFilters:
    """The rules of an ingest; None or False: not asked."""

    ft: bool = False
    min_gq: int | None = None
    min_dp: int | None = None
    min_ab: float | None = None

    @property
    def rules(self) -> list[str]:
        """The rules as text, in the order of application."""
        limits = (("GQ", self.min_gq), ("DP", self.min_dp), ("AB", self.min_ab))
        return ["FT"] * self.ft + [f"{name}>={limit}" for name, limit in limits if limit is not None]

    @property
    def fields(self) -> tuple[str, ...]:
        """FORMAT fields that the source must give."""
        limits = (("GQ", self.min_gq), ("DP", self.min_dp), ("AB", self.min_ab))
        asked = [_FIELDS[name] for name, limit in limits if limit is not None]
        return ("FT", *asked) if self.ft else tuple(asked)

    def as_array(self) -> npt.NDArray[np.float64]:
        """float64[4] for the kernels: whether FT is asked, least GQ, DP and AB; -1: not asked."""
        limits = [-1.0 if limit is None else limit for limit in (self.min_gq, self.min_dp, self.min_ab)]
        return np.array([1.0 if self.ft else -1.0, *limits])


HIGH_QUALITY = GenotypeFilters(min_gq=20, min_dp=10, min_ab=0.2)
"""What NO_HQ_GENOTYPES calls a high-quality genotype: the rules of `adj`."""


def parse_filters(names: Sequence[str]) -> GenotypeFilters:
    """The filters that preset names and rules (``GQ>=20``, ``DP>=10``, ``AB>=0.2``, ``FT``) stand for.

    Raises SettingsError naming what is neither, and fields that are limited twice.
    """
    found: dict[str, float] = {}
    for rule in [rule for name in names for rule in PRESETS.get(name, (name,))]:
        matched = _RULE.fullmatch(rule.replace(" ", ""))
        if matched is None and rule != "FT":
            presets = ", ".join(PRESETS)
            raise SettingsError(
                f"genotype filter {rule!r}: write a preset ({presets}) or a rule: GQ>=20, DP>=10 (whole "
                "numbers), AB>=0.2 (at most 1) or FT"
            )
        field, value = rule, 1.0
        if matched is not None:
            field, value = matched[1] or matched[3], float(matched[2] or matched[4])
        if found.setdefault(field, value) != value:
            raise SettingsError(f"genotype filters limit {field} twice: {', '.join(names)}")
    whole = {name: int(found[name]) for name in ("GQ", "DP") if name in found}
    return GenotypeFilters("FT" in found, whole.get("GQ"), whole.get("DP"), found.get("AB"))
