"""Sections about variants: how they are read, counted, judged and given out."""

from __future__ import annotations

import itertools
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from allofus_spark.settings.section import (
    MIB,
    NAME_PATTERN,
    FilterNames,
    GroupName,
    GroupNames,
    Section,
    as_tuple,
)


class GenomeSettings(Section):
    """How positions are cut into partitions, and the sequence that alleles are aligned to."""

    bin_width_bases: int = Field(
        300_000_000,
        ge=1_000,
        description="Width of a table partition in bases, fixed when a warehouse is made. Wider than chr1 "
        "(249 million) means one partition a contig: right for a laptop, where 300 tiny files a table would "
        "cost more than the work.",
    )
    reference_fasta: str | None = Field(
        None,
        min_length=1,
        description="Indexed FASTA of the warehouse's build. Set: indels are left-aligned against it at "
        "ingest. Unset: alleles are only trimmed, and indels cannot be compared with catalogues that are "
        "aligned.",
    )


class IngestSettings(Section):
    """How input files are cut up, and what is refused."""

    split_bytes: int = Field(
        8 * MIB,
        ge=64 * 1024,
        description="Bytes of an input file, as stored, for one task. bgzip packs genotypes 10 to 20 times, "
        "so 8 MiB is about 120 MiB of text: seconds of work, and enough tasks for the cores of a laptop.",
    )
    chunk_bytes: int = Field(
        16 * MIB,
        ge=64 * 1024,
        description="Bytes of uncompressed text that a task holds and scans at once; a longer line is a "
        "chunk of its own. Large enough that the cost of a call vanishes, small enough for many tasks on a "
        "node.",
    )
    max_line_bytes: int = Field(
        128 * MIB,
        ge=1024,
        le=1024 * MIB,
        description="Longest input line in bytes; a longer one is refused, so that a file without line ends "
        "does not eat a node's memory. Room for 1 million genomes at 134 bytes each (GT alone takes 4; GT, "
        "AD, DP, GQ and PL about 40). At most 1 GiB, as an Arrow buffer of text ends at 2 GiB.",
    )
    batch_bytes: int = Field(
        32 * MIB,
        ge=1024,
        le=64 * MIB,
        description="Bytes of packed calls in one Arrow batch: about 500 variants of 245,388 genomes. At "
        "most 64 MiB, because Python, Arrow and Parquet each hold a batch at the same time.",
    )
    max_alts: int = Field(
        50,
        ge=1,
        description="Most alternate alleles of a record; with more it is refused as excess_alleles. All of "
        "Us leaves such sites out of its callsets, and densifying them exhausts memory.",
    )
    reference_allele: Literal["first", "last"] | None = Field(
        None,
        description="Which allele of a variant is the reference in files that do not say so: first (A1 of a "
        ".bim, REF of a .pvar, a BGEN written ref-first) or last (A2 of a .bim, where PLINK 2 writes it). "
        "Unset: the one that the reference FASTA has; without a FASTA such files are refused.",
    )
    genotype_filters: FilterNames = Field(
        (),
        description="Rules by which a call is set to missing at ingest: presets of the release (adj: "
        "GQ >= 20, DP >= 10, allele balance >= 0.2 at hets; adj_no_dp: GQ >= 30, balance >= 0.2; "
        "ft: FT failing) or single rules such as GQ>=20, DP>=10, AB>=0.2, FT. None: calls "
        "come in as they are.",
    )
    max_rejected_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Largest share of a source's records that may be refused; above it the job fails and "
        "nothing is committed. 0.05 lets odd records by and stops a file of the wrong kind. One bad record "
        "of five is 0.2 and stops too: raise it for such a file. 0 accepts no refusal, 1 any number.",
    )
    target_file_bytes: int = Field(
        128 * MIB,
        ge=MIB,
        description="Size that a table's data files are written towards, in bytes: a row group of Parquet "
        "and a block of HDFS, so that a file is one read.",
    )


class FrequencySettings(Section):
    """Which groups get a column."""

    ancestry_groups: GroupNames = Field(
        ("afr", "amr", "eas", "eur", "mid", "sas", "oth"),
        description="Genetic ancestry groups that labels may name, each with a column, in lower case: those "
        "of the All of Us release. A label outside the list is an error.",
    )
    unassigned_group: GroupName = Field(
        "oth",
        description="The group of people whom no ancestry fits; one of ancestry_groups. It has a column, but "
        "is no candidate for grpmax and fafmax, being no population.",
    )

    @model_validator(mode="after")
    def _unassigned_is_a_group(self) -> FrequencySettings:
        if self.unassigned_group not in self.ancestry_groups:
            groups = ", ".join(self.ancestry_groups)
            raise ValueError(
                f"unassigned_group {self.unassigned_group} must be one of ancestry_groups ({groups})"
            )
        return self


class QcSettings(Section):
    """Where variants and samples are flagged. Rows are flagged, never dropped."""

    min_snv_qual_phred: float = Field(
        60,
        ge=0,
        description="LowQual: an allele as long as REF with a lower QUAL. The release's, from GATK: 30 − "
        "10·log10 of the heterozygosity that is expected, 0.001 for SNVs.",
    )
    min_indel_qual_phred: float = Field(
        69,
        ge=0,
        description="LowQual: an allele longer or shorter than REF with a lower QUAL. As for SNVs, with a "
        "heterozygosity of 0.000125.",
    )
    max_excess_het_phred: float = Field(
        54.69,
        ge=0,
        description="ExcessHet: a one-sided mid-p of too many heterozygotes above this, phred-scaled. The "
        "release's, from GATK: p 3.4e-6, a z-score of −4.5.",
    )
    max_x_f_of_xx: float = Field(
        0.2,
        description="Inferred sex is XX where the F coefficient of non-PAR X is below (PLINK --check-sex).",
    )
    min_x_f_of_xy: float = Field(
        0.8,
        description="Inferred sex is XY where the F coefficient of non-PAR X is above (PLINK --check-sex).",
    )
    min_expected_x_hets: float = Field(
        25,
        ge=0,
        description="Heterozygous calls that Hardy-Weinberg proportions let expect of a sample on non-PAR X; "
        "with fewer its sex is not inferred. At 25 independent ones F of an XX person has a standard "
        "deviation of at most 0.2, and 0.8 is four of them away.",
    )

    max_outlier_mads: float = Field(
        8,
        gt=0,
        description="A metric of a sample is an outlier where its residual on the ancestry PCs lies more "
        "median absolute deviations from the median of its ancestry. The release's.",
    )
    n_outlier_pcs: int = Field(
        16,
        ge=1,
        description="Leading PCs that metrics are regressed on, of those that ancestries has. The release's.",
    )

    @model_validator(mode="after")
    def _f_leaves_room(self) -> QcSettings:
        if self.max_x_f_of_xx > self.min_x_f_of_xy:
            raise ValueError(
                f"max_x_f_of_xx {self.max_x_f_of_xx} must not be above min_x_f_of_xy {self.min_x_f_of_xy}"
            )
        return self


class SiteSettings(Section):
    """Which sites stand for the genome: where ancestry is told from, and kinship."""

    min_call_rate: float = Field(
        0.99,
        gt=0,
        le=1,
        description="Least share of samples with a call. The release's: call rate over 99 %.",
    )
    window_bases: int = Field(
        200_000,
        ge=1,
        description="How near two sites must lie to be held against each other, in bases. Longer linkage is "
        "in genome/data/long_range_ld.tsv, whose regions are left out whole.",
    )
    max_ld_samples: int = Field(
        5_000,
        ge=50,
        description="Samples, evenly spaced in the largest callset, that linkage is measured among. The "
        "standard error of r is at most 1/√5,000, 0.014; all of 245,388 would shuffle 61 kB a site.",
    )


class ConsequenceSettings(Section):
    """What variants are annotated with."""

    gff3: str | None = Field(
        None,
        min_length=1,
        description="Genes as GFF3, plain or gzip, of the warehouse's build, as Ensembl or GENCODE write "
        "them: what consequences are predicted from, together with genome.reference_fasta.",
    )
    variants_per_range: int = Field(
        50_000,
        ge=1,
        description="Variants that one process of csq annotates: under a minute of work and a few MiB of "
        "text, against about 30 ms to start the process.",
    )
    every_transcript: bool = Field(
        False,
        description="Give a row for every transcript that an allele lies in, as VEP and the public Variant "
        "Annotation Table do (csq -G 1). Off by default, so that rows equal csq -l as others run it: that "
        "looks for introns and non-coding transcripts only where it finds nothing in exons and splice sites.",
    )
    annotator: str = Field(
        "csq",
        pattern=NAME_PATTERN,
        description="Annotator whose consequences the summary, the vat view and allofus variant show.",
    )


class SummarySettings(Section):
    """Which variants are counted, and in which bins of frequency."""

    catalogue_set: str = Field(
        "default",
        pattern=NAME_PATTERN,
        description="Set of catalogues whose novelty the summary, the vat view and allofus variant show.",
    )
    passing_only: bool = Field(
        True,
        description="Count only sites that passed their filters, or were not filtered, in a callset, as the "
        "release's headline counts do.",
    )
    frequency_bounds: tuple[float, ...] = Field(
        (0.0001, 0.001, 0.01, 0.05),
        min_length=1,
        description="Allele frequencies between which variants are counted, beside singletons (allele count "
        "1), in the ancestry that is counted. Rare is under 0.01 and common over 0.05 by custom.",
    )

    @field_validator("frequency_bounds", mode="before")
    @classmethod
    def _bounds_as_tuple(cls, bounds: Any) -> Any:
        return as_tuple(bounds)

    @model_validator(mode="after")
    def _bounds_rise(self) -> SummarySettings:
        edges = (0.0, *self.frequency_bounds, 1.0)
        if not all(first < second for first, second in itertools.pairwise(edges)):  # NaN is not
            raise ValueError(f"frequency_bounds must rise between 0 and 1: {list(self.frequency_bounds)}")
        return self


class ExportSettings(Section):
    """Which sites the smaller callset of common variants holds."""

    common_min_ac: int = Field(
        100,
        ge=1,
        description="--common keeps a site where an allele has this allele count or more in any ancestry "
        "group. The ACAF threshold callset of the All of Us release: population-specific AC of 100.",
    )
    common_above_af: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="--common keeps a site where an allele has a frequency above this in any ancestry group. "
        "The ACAF threshold callset of the All of Us release: population-specific AF over 1 %.",
    )
