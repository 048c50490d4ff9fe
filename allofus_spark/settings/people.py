"""Sections about people: ancestry, relatives, and who is in the cohort."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from allofus_spark.settings.section import NAME_PATTERN, AnswerTexts, Section

# Name of the definitions of under-representation that the package has.
OWN_DEFINITIONS = "all_of_us_1"


class AncestrySettings(Section):
    """How genetic ancestry is inferred, and whose label counts."""

    min_maf: float = Field(
        0.001,
        gt=0,
        lt=0.5,
        description="Least minor allele frequency of a site among the training samples. The release's: "
        "allele frequency over 0.1 %.",
    )
    max_r2: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Of two sites within sites.window_bases whose r² is above this, the rarer is left out. "
        "The release's, from gnomAD.",
    )
    max_sites: int = Field(
        200_000,
        ge=1,
        description="Most sites of a model; of more, those with the lowest hash are taken, evenly over the "
        "genome. The release used 151,159.",
    )
    n_pcs: int = Field(16, ge=1, le=64, description="Principal components of a model. The release's.")
    max_exact_samples: int = Field(
        10_000,
        ge=2,
        description="Training samples up to which all eigenpairs of their covariance are computed (800 MB at "
        "10,000); above, a randomised decomposition finds the leading ones.",
    )
    n_trees: int = Field(
        200,
        ge=1,
        description="Trees of the random forest: probabilities in steps of 0.005. 500 name people who were "
        "left out of the training no better (make bench-ancestry).",
    )
    min_probability: float = Field(
        0.75,
        gt=0,
        lt=1,
        description="The likeliest group is the label if its probability is above this, else "
        "frequencies.unassigned_group. The release's.",
    )
    min_site_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Least share of a model's sites that a callset must have. Scores over fewer are "
        "estimated by least squares; under half, noise grows by more than √2.",
    )
    min_called_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Least share of these sites at which a sample must have a call to be labelled: each "
        "missing call pulls its scores towards the mean.",
    )
    labels: Literal["supplied_else_inferred", "supplied", "inferred"] = Field(
        "supplied_else_inferred",
        description="Whose label counts in frequencies and quality: supplied is samples.ancestry, inferred "
        "is ancestries.ancestry. By default a supplied label stands, and who has none gets the inferred one.",
    )


class RelatednessSettings(Section):
    """Between whom kinship is computed, and who is related."""

    min_maf: float = Field(
        0.01,
        ge=0,
        lt=0.5,
        description="Least minor allele frequency of a site among all samples: rarer ones add work and "
        "hardly any heterozygotes that two people share.",
    )
    max_r2: float | None = Field(
        None,
        gt=0,
        le=1,
        description="As ancestry.max_r2. Unset: linkage is let be, as "
        "KING-robust needs no independent sites.",
    )
    max_sites: int = Field(
        100_000,
        ge=1,
        description="Most sites; of more, those with the lowest hash are taken. Over 100,000 independent "
        "sites kinship has a standard error of about 0.002.",
    )
    block_samples: int = Field(
        1_024,
        ge=4,
        le=8_192,
        multiple_of=4,
        description="Samples in a block: a task holds the counts of two blocks' pairs, 20 bytes each (21 MB; "
        "336 MB at 4,096). Larger blocks make fewer tasks and copies of the calls: both with its inverse, of "
        "245,388 samples and 100,000 sites 28,920 tasks and 1.5 TB at 1,024, 1,830 and 370 GB at 4,096.",
    )
    min_kinship: float = Field(
        0.0442,
        gt=0,
        lt=0.5,
        description="Least kinship of a pair that is kept: 2^-4.5, third degree (Manichaikul et al. 2010).",
    )
    max_unrelated_kinship: float = Field(
        0.0884,
        gt=0,
        lt=0.5,
        description="Two people of this kinship or more are not both in the unrelated set: 2^-3.5, second "
        "degree (Manichaikul et al. 2010).",
    )

    @model_validator(mode="after")
    def _unrelated_pairs_are_kept(self) -> RelatednessSettings:
        if self.min_kinship > self.max_unrelated_kinship:
            raise ValueError(
                f"min_kinship {self.min_kinship} must not be above max_unrelated_kinship "
                f"{self.max_unrelated_kinship}: pairs that decide who is unrelated are kept"
            )
        return self


class RepresentationSettings(Section):
    """Who counts as under-represented in biomedical research, and which answers are none."""

    definitions_version: str = Field(
        OWN_DEFINITIONS,
        pattern=NAME_PATTERN,
        description="Name of the definitions, kept in every row of representation. Those of this package are "
        "the All of Us Research Program's (representation/data/definitions.tsv, with sources).",
    )
    definitions_file: str | None = Field(
        None,
        min_length=1,
        description="TSV in the place of the package's definitions.tsv, with the same columns: which answer "
        "is under-represented, by category. Needs a definitions_version of its own.",
    )
    under_age_years: int = Field(
        18,
        ge=0,
        description="People enrolled under this age are under-represented. All of Us: under 18 (Mapes et al. "
        "2020).",
    )
    from_age_years: int = Field(
        65,
        ge=1,
        description="People enrolled at this age or older are under-represented. All of Us: 65 and over.",
    )
    under_income_usd: int = Field(
        25_000,
        ge=1_000,
        description="People with a household income under this, in US dollars a year, are under-represented, "
        "where the answer is an amount or a range that the definitions do not list. All of Us: under 25,000.",
    )
    not_answered: AnswerTexts = Field(
        (
            *("", ".", "na", "n/a", "nan", "null", "unknown", "skip", "skipped", "not answered"),
            *("prefer not to answer", "i prefer not to answer", "don't know", "no matching concept"),
            *("pmi: skip", "pmi: prefer not to answer", "pmi: dont know", "none indicated"),
            *("pmi_skip", "pmi_prefernottoanswer", "pmi_dontknow", "pmi_unanswered"),
        ),
        description="Texts of a file of persons that are no answer, in any case: of the surveys of All of Us "
        "and of its OMOP concepts, and what people write in tables.",
    )

    @model_validator(mode="after")
    def _other_definitions_have_another_name(self) -> RepresentationSettings:
        if self.definitions_file is not None and self.definitions_version == OWN_DEFINITIONS:
            raise ValueError(
                f"definitions_file needs a definitions_version other than {OWN_DEFINITIONS}, which names the "
                "package's own definitions"
            )
        if self.under_age_years > self.from_age_years:
            raise ValueError(
                f"under_age_years {self.under_age_years} must not be above from_age_years "
                f"{self.from_age_years}"
            )
        return self
