"""Settings: one typed model with every default, read from TOML and the command line.

Order, later wins: the defaults below < a TOML file < `--warehouse` < `--set key=value`. A number has its home
here and nowhere else, with its unit in the name and its reason beside it. Unknown keys and wrong values are
collected and reported together, so that one run shows all that has to be mended.

`python -m allofus_spark.settings` prints every key with its default and its reason.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from allofus_spark.settings_sources import Sources, leaf_fields

MIB = 1024 * 1024
# Names that can stand in a path: of callsets, catalogues and their sets, annotators.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
# Name of the definitions of under-representation that the package has.
OWN_DEFINITIONS = "all_of_us_1"


class _Section(BaseModel):
    """Immutable, and closed: a key that is not declared is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_TAKEN_GROUP_NAMES = frozenset({"all", "max", "overall", "overall_xx", "overall_xy", "unlabelled"})


def _is_group_name(name: str) -> str:
    if not (name.isascii() and name.isidentifier() and name.islower()):
        raise ValueError("a group name is made of lower-case letters, digits and _, such as afr")
    if name in _TAKEN_GROUP_NAMES:
        raise ValueError(f"{name} names a column of its own; give the group another name")
    return name


def _are_unique(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"name each group once; repeated: {', '.join(repeated)}")
    return names


def _as_tuple(names: Any) -> Any:
    return tuple(names) if isinstance(names, list) else names  # TOML's lists stay mutable otherwise


GroupName = Annotated[str, AfterValidator(_is_group_name)]
GroupNames = Annotated[
    tuple[GroupName, ...], Field(min_length=1), AfterValidator(_are_unique), BeforeValidator(_as_tuple)
]


FilterNames = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
AnswerTexts = Annotated[
    tuple[str, ...],
    AfterValidator(lambda texts: tuple(text.strip().lower() for text in texts)),
    BeforeValidator(_as_tuple),
]


class SparkSettings(_Section):
    """How a Spark session is started from plain Python; spark-submit decides most of it for itself."""

    master: str | None = Field(
        None,
        min_length=1,
        description="Spark master URL. Unset: the one that spark-submit names, else local[*], every core of "
        "this machine. Under spark-submit its own --master counts.",
    )
    driver_memory: str = Field(
        "4g",
        pattern=r"^[1-9][0-9]*[kmgtKMGT]$",
        description="Java heap of the driver, which on one machine does all the work: for each core a chunk "
        "of text, a batch of packed calls and a Parquet row group of 128 MiB. Under spark-submit: "
        "--driver-memory.",
    )
    shuffle_partitions: int = Field(
        4,
        ge=1,
        description="Tasks after a shuffle: two for each core of a laptop, two to three for each executor "
        "core of a cluster. Shuffles here carry narrow keys; with Spark's own 200, starting tasks would cost "
        "most.",
    )
    extra: dict[str, str] = Field(
        default_factory=dict,
        description="Spark settings by their full names, for what has no key here. Jars, packages, class "
        "paths and SQL extensions are added to those that Delta and Hail need, never put in their place.",
    )


class GenomeSettings(_Section):
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


class IngestSettings(_Section):
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


class MaintenanceSettings(_Section):
    """How long `allofus maintain` keeps what the newest snapshot does not need, and when it tidies logs."""

    retention_hours: int = Field(
        168,
        ge=0,
        le=168,
        description="Data files that the tables no longer hold are removed this many hours after they were "
        "replaced; until then readers of an earlier snapshot can finish, and a version can be restored. At "
        "most 168, a week, Delta's own default: its log forgets then which files were replaced when.",
    )
    min_retention_hours: int = Field(
        24,
        ge=0,
        description="With fewer retention_hours maintain refuses, unless --force-retention says that nobody "
        "reads: longer than a scan or an export of a night works on the files that it began with.",
    )
    commits_per_checkpoint: int = Field(
        10,
        ge=1,
        description="A table gets a checkpoint of its log when this many commits came since the last one. "
        "Delta's own default; a checkpoint also lets go of log files past the table's "
        "delta.logRetentionDuration (30 days).",
    )


class FrequencySettings(_Section):
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


class QcSettings(_Section):
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


class SiteSettings(_Section):
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


class AncestrySettings(_Section):
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


class RelatednessSettings(_Section):
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


class PhenotypeSettings(_Section):
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


class AssociationSettings(_Section):
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
        return _as_tuple(names)


class ReplicationSettings(_Section):
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


class RepresentationSettings(_Section):
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


class ConsequenceSettings(_Section):
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


class SummarySettings(_Section):
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
        return _as_tuple(bounds)

    @model_validator(mode="after")
    def _bounds_rise(self) -> SummarySettings:
        edges = (0.0, *self.frequency_bounds, 1.0)
        if not all(first < second for first, second in itertools.pairwise(edges)):  # NaN is not
            raise ValueError(f"frequency_bounds must rise between 0 and 1: {list(self.frequency_bounds)}")
        return self


class ExportSettings(_Section):
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


_OF_CELLS = Literal["suppress", "exempt"]
_OF_ROWS = Literal["suppress", "exempt", "leave_out"]
_OF_NUMBERS = Literal["round", "exempt", "leave_out"]
_NOT_OF_PEOPLE = Literal["exempt", "leave_out"]


class ReleasePolicies(_Section):
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
        "suppress", description="Tests: suppress withholds rows, and rounds sample sizes."
    )
    meta_associations: _OF_ROWS = Field(
        "suppress", description="Meta-analyses: suppress withholds rows, and rounds sample sizes."
    )
    association_summaries: _OF_NUMBERS = Field(
        "round", description="People analysed, by scan, phenotype and ancestry."
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


class ReleaseReasons(_Section):
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


class ReleaseSettings(_Section):
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


class NightlySettings(_Section):
    """What a nightly run makes anew."""

    stages: FilterNames = Field(
        (
            "infer_ancestry_project",
            "compute_relatedness",
            "compute_frequencies",
            "flag_novelty",
            "annotate_consequences",
            "compute_qc",
            "flag_sample_outliers",
            "summarise_variants",
            "report_cohort",
            "run_associations",
            "replicate",
        ),
        description="Stages that are made with their defaults though they never ran, once what they need is "
        "there. What was made before is kept current whether it is listed or not.",
    )


# Types of visas that GA4GH Passport 1.2 defines.
VisaType = Literal[
    "AffiliationAndRole",
    "AcceptedTermsAndPolicies",
    "ResearcherStatus",
    "ControlledAccessGrants",
    "LinkedIdentities",
]


class Issuer(_Section):
    """One issuer of passports or visas that is trusted, with its keys: what is not here is not trusted."""

    url: str = Field(min_length=1, max_length=255, description="``iss`` of its tokens, byte for byte.")
    jwks_file: str = Field(min_length=1, description="JSON Web Key Set with its public keys, a local file.")
    issues: Annotated[
        tuple[Literal["passport"] | VisaType, ...],
        Field(min_length=1),
        BeforeValidator(_as_tuple),
    ] = Field(description="What it is trusted to issue: passport, and types of visas.")
    jku: str | None = Field(
        None, description="``jku`` that its visas carry. It is compared and never fetched; visas need it."
    )
    sources: FilterNames = Field(
        (), description="``source`` of visas that count; none: any that it vouches for."
    )
    subjects_of: str | None = Field(
        None,
        description="Issuer whose subjects its visas name, as in one federation. None: subjects of its own, "
        "and a LinkedIdentities visa must say whose they are.",
    )

    @model_validator(mode="after")
    def _visas_have_a_jku(self) -> Issuer:
        if self.jku is None and set(self.issues) != {"passport"}:
            raise ValueError(f"issuer {self.url} issues visas: give the jku that they carry")
        return self


def _are_one_each(issuers: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
    urls = [issuer.url for issuer in issuers]
    if repeated := sorted({url for url in urls if urls.count(url) > 1}):
        raise ValueError(f"give each issuer once; repeated: {', '.join(repeated)}")
    return issuers


class AccessSettings(_Section):
    """Who may see what is not public: tiers, and passports of the GA4GH."""

    enforce: bool = Field(
        False,
        description="Demand a tier and a passport (--passport) of who asks for rows of single people, or for "
        "counts that are not disclosure-controlled. Off on a laptop, whose owner has the files anyway; on "
        "in conf/cluster.toml.",
    )
    dataset_url: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="What a ControlledAccessGrants visa must grant, byte for byte: the permanent address of "
        "this warehouse's data set. At most 255 characters, as the specification has it.",
    )
    audience: str | None = Field(
        None,
        min_length=1,
        description="Name of this service, which the aud of a passport must hold, so that one that was made "
        "out to another service opens nothing here.",
    )
    issuers: Annotated[tuple[Issuer, ...], AfterValidator(_are_one_each), BeforeValidator(_as_tuple)] = Field(
        (),
        description="[[access.issuers]], a table each: url, jwks_file, issues (passport and types of visas), "
        "jku, and where needed sources and subjects_of. Nobody else's token is believed, and no key is "
        "fetched.",
    )
    registered_access_url: str = Field(
        "https://doi.org/10.1038/s41431-018-0219-y",
        min_length=1,
        max_length=255,
        description="Value that AcceptedTermsAndPolicies and ResearcherStatus must have: the version of "
        "Registered Access of Dyke et al. 2018, as GA4GH Passport 1.2 names it.",
    )
    granted_by: FilterNames = Field(
        ("dac",),
        description="by of a ControlledAccessGrants visa that counts: a data access committee. Of self, "
        "peer, system, so, dac; nobody grants access to themselves or a peer.",
    )
    leeway_seconds: int = Field(
        60,
        ge=0,
        le=600,
        description="How far clocks may be apart where exp, nbf and iat are held against this machine's.",
    )
    max_assertion_days: int = Field(
        365,
        ge=1,
        description="A visa counts for so long after it was asserted, whatever its exp: a year, as long as a "
        "training does.",
    )
    max_passport_bytes: int = Field(
        64 * 1024,
        ge=1024,
        le=MIB,
        description="Longest passport that is looked at. A visa takes about 1 kB signed; the headers that "
        "carry passports end at 8 to 64 kB.",
    )
    max_visas: int = Field(
        50,
        ge=1,
        le=1_000,
        description="Most visas of a passport; each costs a signature to verify, some 0.1 ms.",
    )
    code_of_conduct: str = Field(
        "1",
        min_length=1,
        description="Version of the data user code of conduct that researchers must have signed. Raise it, "
        "and everybody must sign anew.",
    )
    registered_modules: FilterNames = Field(
        ("responsible_conduct",),
        description="Trainings that the Registered tier needs, each complete and not expired.",
    )
    controlled_modules: FilterNames = Field(
        ("controlled_data",),
        description="Trainings that the Controlled tier needs beside those of the Registered tier.",
    )
    module_days: int = Field(
        365,
        ge=1,
        description="Days after which a training has expired. All of Us: renewed every year.",
    )
    audit_wait_seconds: float = Field(
        300.0,
        ge=0,
        description="Seconds to wait where another process writes to the audit; after them access is "
        "refused. Writing takes seconds; longer than lease.expiry_seconds, so that a claim left by a machine "
        "that went down is outlived.",
    )

    @field_validator("granted_by")
    @classmethod
    def _is_of_the_vocabulary(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or (odd := sorted(set(names) - {"self", "peer", "system", "so", "dac"})):
            raise ValueError(f"must be of self, peer, system, so, dac: {', '.join(odd) if names else 'none'}")
        return names


class BrowserSettings(_Section):
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


class LeaseSettings(_Section):
    """How runs keep out of each other's way: one works in a warehouse, others wait or are refused."""

    expiry_seconds: float = Field(
        120.0,
        ge=1.0,
        le=86_400.0,
        description="Seconds after which a claim that its run has not renewed is taken over. It is renewed "
        "four times as often; 120 outlasts the pauses that a live driver makes (Java's full collections, a "
        "store that does not answer for a minute), and is short beside a night. A process that has ended on "
        "the same host is seen at once.",
    )
    wait_seconds: float = Field(
        0.0,
        ge=0.0,
        description="Seconds to wait for a warehouse where another run works. 0: refused at once, which a "
        "person at a terminal wants; for runs on a schedule an hour or more.",
    )


_SHAPELESS = {"warehouse", "spark", "lease", "maintenance", "nightly", "access", "browser"}


class Settings(_Section):
    """All settings of a run."""

    warehouse: str = Field(
        "warehouse",
        min_length=1,
        description="Folder or URI under which the tables lie, as WAREHOUSE/ZONE/TABLE.",
    )
    spark: SparkSettings = SparkSettings()
    genome: GenomeSettings = GenomeSettings()
    ingest: IngestSettings = IngestSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    frequencies: FrequencySettings = FrequencySettings()
    qc: QcSettings = QcSettings()
    sites: SiteSettings = SiteSettings()
    ancestry: AncestrySettings = AncestrySettings()
    relatedness: RelatednessSettings = RelatednessSettings()
    representation: RepresentationSettings = RepresentationSettings()
    phenotypes: PhenotypeSettings = PhenotypeSettings()
    association: AssociationSettings = AssociationSettings()
    replication: ReplicationSettings = ReplicationSettings()
    consequences: ConsequenceSettings = ConsequenceSettings()
    summary: SummarySettings = SummarySettings()
    export: ExportSettings = ExportSettings()
    release: ReleaseSettings = ReleaseSettings()
    access: AccessSettings = AccessSettings()
    lease: LeaseSettings = LeaseSettings()
    nightly: NightlySettings = NightlySettings()
    browser: BrowserSettings = BrowserSettings()

    def content_hash(self) -> str:
        """SHA-256 (hex) of the settings that can shape a result: all but those of `_SHAPELESS`."""
        content = self.model_dump(mode="json", exclude=_SHAPELESS)
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class SettingDescription(NamedTuple):
    """One key as documentation shows it."""

    key: str
    default: Any
    description: str


def load_settings(
    file: str | Path | None = None, *, warehouse: str | None = None, overrides: Sequence[str] = ()
) -> Settings:
    """Settings from the defaults, then `file` (TOML), then `warehouse`, then `overrides`.

    An override is `section.key=value`. The value is read as TOML (`5`, `0.1`, `["afr", "eur"]`); what is not
    TOML is text, as is anything for a key that holds text. An empty value unsets a key that may be unset.

    Raises
    ------
    SettingsError
        One message with every unknown key (and the nearest known one) and every wrong value, each with the
        file or option that it came from.
    """
    sources = Sources(Settings)
    if file is not None:
        sources.add_file(Path(file))
    if warehouse is not None:
        sources.add(("warehouse",), warehouse, "--warehouse")
    for override in overrides:
        sources.add_override(override)
    settings = Settings()
    try:
        settings = Settings.model_validate(sources.values())
    except ValidationError as error:
        sources.add_errors(error)
    sources.raise_problems()
    return settings


def max_rows_per_batch(n_samples: int, bytes_per_sample: float, limit_bytes: int) -> int:
    """Rows of one value a sample that stay within `limit_bytes`; at least 1, even if that row exceeds it.

    >>> max_rows_per_batch(400_000, 8, 132_152_839 * 8)  # float64, and the most values of one Arrow buffer
    330
    """
    return max(1, int(limit_bytes // (max(n_samples, 1) * bytes_per_sample)))


def describe_settings() -> list[SettingDescription]:
    """Key, default and description of every setting, in order: what the documentation prints."""
    return [
        SettingDescription(
            ".".join(path), field.get_default(call_default_factory=True), field.description or ""
        )
        for path, field in leaf_fields(Settings)
    ]


if __name__ == "__main__":
    for setting in describe_settings():
        print(f"{setting.key} = {setting.default}")
        print(textwrap.indent(textwrap.fill(setting.description, width=100), "    "))
