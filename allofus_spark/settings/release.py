"""Sections about what is made public, and where it is shown."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from allofus_spark.settings.section import NAME_PATTERN, Section

_OF_CELLS = Literal["suppress", "exempt"]


_OF_ROWS = Literal["suppress", "exempt", "leave_out"]


_OF_NUMBERS = Literal["round", "exempt", "leave_out"]


_NOT_OF_PEOPLE = Literal["exempt", "leave_out"]


class ReleasePolicies(Section):
    """What is done with the counts of people in each product of a release."""

    variants: _OF_CELLS = Field(
        "suppress", description="Frequencies by ancestry: suppress withholds cells; exempt shows all."
    )
    groups: _OF_CELLS = Field(
        "suppress", description="Participants by ancestry: suppress withholds cells; exempt shows all."
    )
    consequences: _NOT_OF_PEOPLE = Field(
        "exempt", description="Consequences by transcript, which count nobody."
    )
    rsids: _NOT_OF_PEOPLE = Field(
        "exempt", description="Look-up of variants by rs number, which counts nobody."
    )
    genes: _NOT_OF_PEOPLE = Field("exempt", description="Look-up of variants by gene, which counts nobody.")
    variant_counts: _NOT_OF_PEOPLE = Field(
        "exempt", description="Numbers of variants by class, which count no people."
    )
    phenotypes: _OF_NUMBERS = Field("round", description="Cases, controls and measured people, by phenotype.")
    associations: _OF_ROWS = Field(
        "suppress", description="Tests: suppress withholds rows, and sample sizes."
    )
    meta_associations: _OF_ROWS = Field(
        "suppress", description="Meta-analyses: suppress withholds rows, and sample sizes."
    )
    association_summaries: _OF_ROWS = Field(
        "suppress", description="Scans by phenotype and ancestry: suppress withholds sample sizes."
    )
    replications: _OF_ROWS = Field(
        "suppress", description="Known associations: suppress withholds their numbers."
    )
    replication_summary: _NOT_OF_PEOPLE = Field(
        "exempt", description="Numbers of known associations, which count no people."
    )
    representation: _OF_NUMBERS = Field(
        "round", description="People by category of representation and by answer."
    )
    ancestry_density: _OF_NUMBERS = Field(
        "round", description="People by square of two principal components."
    )
    access_times: _OF_NUMBERS = Field(
        "round", description="Researchers by step of access, and quartiles of their hours."
    )


class ReleaseReasons(Section):
    """Why products are exempt whose counts of people are kept by default; the manifest quotes it."""

    variants: str = Field("", description="Why frequencies are released as they are.")
    groups: str = Field("", description="Why participants by ancestry are released as they are.")
    phenotypes: str = Field("", description="Why cases and controls are released as they are.")
    associations: str = Field("", description="Why every test is released, however few carry.")
    meta_associations: str = Field("", description="Why every meta-analysis is released, however few carry.")
    association_summaries: str = Field("", description="Why sample sizes are released as they are.")
    replications: str = Field("", description="Why every known association is released with its numbers.")
    representation: str = Field("", description="Why counts of representation are released as they are.")
    ancestry_density: str = Field("", description="Why squares are released that hold few people.")
    access_times: str = Field("", description="Why times of few researchers are released.")


class ReleaseSettings(Section):
    """What a release shows of people, product by product."""

    floor: int = Field(
        20,
        ge=1,
        description="Counts of participants from 1 to this are not published, and none is derivable. All of "
        "Us, Data and Statistics Dissemination Policy: no count of 1 to 20.",
    )
    round_to: int = Field(
        40,
        ge=2,
        description="Rounded counts are the next multiple of this; 0 stays 0. At least twice the floor: 40 "
        "stands for 1 to 40, where multiples of 20 would say 1 to 20.",
    )
    policy: ReleasePolicies = ReleasePolicies()
    reason: ReleaseReasons = ReleaseReasons()
    catalogue_set: str = Field(
        "default", pattern=NAME_PATTERN, description="Set of catalogues whose novelty is released."
    )
    annotator: str = Field(
        "csq", pattern=NAME_PATTERN, description="Annotator whose consequences are released."
    )

    @model_validator(mode="after")
    def _counts_are_kept(self) -> ReleaseSettings:
        if self.round_to < 2 * self.floor:
            raise ValueError(f"round_to {self.round_to} must be at least twice the floor {self.floor}")
        for product, reason in self.reason.model_dump().items():
            if getattr(self.policy, product) == "exempt" and not reason.strip():
                raise ValueError(
                    f"policy.{product} is exempt without a reason; write one in reason.{product}"
                )
        return self


class BrowserSettings(Section):
    """Where the variant browser listens, and how much it holds and gives at once."""

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address that it listens on. 127.0.0.1: this machine only; put a server that speaks TLS "
        "before it where others look.",
    )
    port: int = Field(
        8080, ge=1, le=65_535, description="Port that it listens on. 8080: any user may, and few others do."
    )
    workers: int = Field(
        2,
        ge=1,
        le=64,
        description="Processes that answer. Pages are made by Python, which keeps one core busy: one a core.",
    )
    cache_mib: int = Field(
        64,
        ge=8,
        description="MiB of decoded batches that a process keeps. A batch of variants is about 0.5 MiB.",
    )
    batch_rows: int = Field(
        1_024,
        ge=64,
        le=65_536,
        description="Rows that a look-up reads at least: those of a batch of the index, 0.2 ms for variants.",
    )
    index_mib: int = Field(
        512,
        ge=128,
        description="MiB of memory for finding the strongest associations when the index is made.",
    )
    page_rows: int = Field(
        100, ge=10, le=1_000, description="Variants on a page of a gene or region, and in one JSON answer."
    )
    scan_batches: int = Field(
        64,
        ge=1,
        description="Batches that one page of filtered variants looks through; the next page goes on from "
        "there.",
    )
    region_bases: int = Field(
        10_000_000,
        ge=1_000,
        description="Longest region that is shown: 10 million bases, beyond the longest gene (2.5 million).",
    )
    top_associations: int = Field(
        50, ge=1, le=1_000, description="Strongest associations that the page of a phenotype shows."
    )
