"""Sections about phenotypes and their associations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from allofus_spark.settings.section import MIB, FilterNames, Section, as_tuple


class PhenotypeSettings(Section):
    """How health records become phenotypes."""

    min_dates: int = Field(
        2,
        ge=1,
        description="Distinct dates with a code of a phecode that make a case; fewer, but one, is neither "
        "case nor control. 2: Denny et al., Nat Biotechnol 2013;31:1102.",
    )
    controls: Literal["everybody", "with_conditions"] = Field(
        "everybody",
        description="Who can be a control: everybody in omop_person, or only people with a row in "
        "omop_condition_occurrence, which tells that their records are linked at all.",
    )
    min_people: int = Field(
        1,
        ge=1,
        description="A phenotype with fewer cases, or measured people, gets no rows: a map has thousands "
        "of phecodes that nobody has.",
    )


_DEFAULT_COVARIATES = ("sex", "age", "age^2", "age*sex", "pc1-pc10")


class AssociationSettings(Section):
    """How phenotypes are scanned for association with variants, and what is kept of it."""

    covariates: FilterNames = Field(
        _DEFAULT_COVARIATES,
        description="Covariates by name: sex (XX 0, XY 1), age (age_at_enrolment_years), pc1-pc10 (of "
        "ancestries), or columns of --covariate-file; a^2 and a*b are products. An empty list: an intercept "
        "alone, and sex on X.",
    )
    min_cases: int = Field(
        20,
        ge=1,
        description="Fewest cases, and controls, of a phenotype in an ancestry for it to be scanned there.",
    )
    min_people: int = Field(
        30, ge=3, description="Fewest people with a quantitative phenotype in an ancestry, likewise."
    )
    few_cases: int = Field(
        200,
        ge=1,
        description="Under this many cases, or controls, min_mac_few_cases counts instead of min_mac: the "
        "approximate Firth test departs from the exact one there by up to 0.4 in -log10 p.",
    )
    min_mac: int = Field(
        5,
        ge=1,
        description="Least minor allele count among the analysed people for a variant to be tested; under "
        "it, the row's status is too_rare. regenie's default.",
    )
    min_mac_few_cases: int = Field(20, ge=1, description="As min_mac, where cases or controls are few.")
    min_maf: float = Field(0, ge=0, lt=0.5, description="Least minor allele frequency likewise; 0: any.")
    firth_below_p: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Binary phenotypes: a score test with a p under this is followed by approximate Firth "
        "regression. At 0.05, regenie's default, a p under 5 % needs both tests to say so, which is rarer: "
        "4.5 % of chance phenotypes at MAF 1 to 5 %, against 4.8 % at 0.1 (1:10, 228 cases).",
    )
    firth_below_mac: int = Field(
        20,
        ge=0,
        description="Binary phenotypes: under this minor allele count Firth regression follows whatever the "
        "score test says, over carriers only; the score is not normal there.",
    )
    exact_below_p: float = Field(
        1e-4,
        ge=0,
        le=1,
        description="Binary phenotypes: an approximate p under this is followed by exact Firth regression, "
        "with all covariates fitted anew.",
    )
    x_male_dosage: Literal[1, 2] = Field(
        2,
        description="What a hemizygous copy on non-PAR X counts as: 2, equal to two copies of XX people, as "
        "under full inactivation (PLINK 2, regenie); or 1.",
    )
    keep_neg_log10_p: float = Field(
        0,
        ge=0,
        description="Rows of associations and meta_associations with a lower neg_log10_p are not stored; "
        "summaries count them. 0 keeps all, untested ones too; 2 stores one in a hundred. Rows at positions "
        "of known_associations are stored in any case.",
    )
    model_bytes: int = Field(
        256 * MIB,
        ge=MIB,
        description="Bytes of models of phenotypes that a task has in memory at once: phenotypes come in "
        "blocks that fit.",
    )
    genome_wide_p: float = Field(
        5e-8, gt=0, lt=1, description="p under which a variant counts as a hit in summaries and pictures."
    )

    @field_validator("covariates", mode="before")
    @classmethod
    def _covariates_as_tuple(cls, names: Any) -> Any:
        return as_tuple(names)


class ReplicationSettings(Section):
    """When a known association is tested again, and what counts as seen again."""

    min_cases: int = Field(
        100,
        ge=1,
        description="Fewest cases of an ancestry for its known associations to be tested. Bastarache et al. "
        "2023.",
    )
    max_p: float = Field(
        0.05, gt=0, lt=1, description="Replicated: a p under this, in the direction that is known."
    )
    min_power: float = Field(
        0.8, gt=0, lt=1, description="Powered: a chance of this or more to see the known effect."
    )
    max_controls_per_case: int = Field(
        50,
        ge=1,
        description="Controls that count for power, by case: more add next to nothing. Bastarache et al. "
        "2023.",
    )
    palindromic_margin: float = Field(
        0.1,
        gt=0,
        lt=0.5,
        description="An A/T or C/G SNP that is there with ref and alt swapped is told by its frequency where "
        "both the map's and the cohort's are further than this from one half; else it is set aside.",
    )
