"""Tables of counts and frequencies: strata, the additive ledger of counts, and frequencies by ancestry."""

from collections.abc import Sequence
from dataclasses import replace

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import DOUBLE, INT, INTS, LONG, STRING, struct
from allofus_spark.tables.variant_tables import ALLELE_COLUMNS, ALLELE_KEY, CALLSET_COLUMN

STRATA = Table(
    name="strata",
    zone=Zone.REGISTERED,
    grain="one stratum: the samples of a callset that share ancestry and sex class",
    key=("strata_id", "stratum_index"),
    columns=(
        Column("strata_id", STRING, "SHA-256 over callset, groups and every sample's stratum"),
        Column("stratum_index", INT, "0-based place of the stratum in the arrays of allele_counts"),
        Column("callset_id", STRING, "Callset whose samples are divided"),
        Column("ancestry", STRING, "Ancestry group, or unlabelled"),
        Column("sex_class", STRING, "XX, XY, or other (other and not known)"),
        Column("n_samples", INT, "Samples in the stratum"),
    ),
)

ALLELE_COUNTS = Table(
    name="allele_counts",
    zone=Zone.REGISTERED,
    grain="one allele in one callset: counts by stratum; the additive ledger",
    key=("callset_id", *ALLELE_KEY),
    columns=(
        CALLSET_COLUMN,
        *ALLELE_COLUMNS,
        Column("strata_id", STRING, "Strata that the arrays follow (strata.stratum_index is the place)"),
        Column("n_het", INTS, "Samples with one alt copy of two"),
        Column("n_hom_alt", INTS, "Samples with two alt copies of two"),
        Column("n_hemi_alt", INTS, "Samples with one alt copy of one (XY in non-PAR X and Y; all on MT)"),
        Column("an_called", INTS, "Called alleles: two a diploid call, one a haploid call"),
        Column("n_het_missing", INTS, "Het calls not counted because one copy is meant there"),
    ),
    partition_by=("callset_id", "contig", "bin"),
)

FREQUENCY = struct(ac=LONG, an=LONG, af=DOUBLE, sc=LONG, n_hom=LONG, n_hemi=LONG, faf95=DOUBLE)

_FREQUENCY_FIELDS = (
    "ac allele count; an called alleles; af = ac/an, null when an is 0; sc people carrying; n_hom "
    "homozygotes; n_hemi hemizygotes; faf95 lower 95 % bound of af, null when an is 0"
)


def allele_frequencies(ancestry_groups: Sequence[str]) -> Table:
    """The contract of ``allele_frequencies`` for the warehouse's ancestry groups."""
    groups = tuple(
        Column(name, FREQUENCY, f"Ancestry group {name}, as overall", by_settings=True)
        for name in ancestry_groups
    )
    return Table(
        name="allele_frequencies",
        zone=Zone.REGISTERED,
        grain="one normalised allele, over all active callsets; no flag of variant_qc or sample_qc leaves "
        "anything out",
        key=ALLELE_KEY,
        columns=(
            *ALLELE_COLUMNS,
            Column("variant_id", STRING, "contig-position-ref-alt without chr, M written MT"),
            Column("overall", FREQUENCY, f"All samples, unlabelled included: {_FREQUENCY_FIELDS}"),
            Column("overall_xx", FREQUENCY, "Samples with sex karyotype XX, as overall"),
            Column("overall_xy", FREQUENCY, "Samples with sex karyotype XY, as overall"),
            *groups,
            Column("max_af", DOUBLE, "Highest af of a group, oth included; null: no group has a call", True),
            Column("max_af_group", STRING, "Group of max_af; the first in settings where several tie", True),
            Column("grpmax_af", DOUBLE, "Highest af of a group, oth left out", True),
            Column("grpmax_group", STRING, "Group of grpmax_af", True),
            Column("fafmax", DOUBLE, "Highest faf95 of a group, oth left out", True),
            Column("fafmax_group", STRING, "Group of fafmax; can differ from grpmax_group", True),
        ),
        partition_by=("contig", "bin"),
        checks={
            "overall_ac_within_an": "overall.ac BETWEEN 0 AND overall.an",
            "overall_af_null_iff_an_0": "(overall.an = 0) = (overall.af IS NULL)",
        },
    )


SUBSET_PREFIX = "frequencies_of_"


def subset_frequencies(name: str, ancestry_groups: Sequence[str]) -> Table:
    """The contract of the frequencies of a named sample set: ``allele_frequencies`` under another name.

    Controlled: the set may be one person, whose genotypes they are then.
    """
    return replace(
        allele_frequencies(ancestry_groups),
        name=f"{SUBSET_PREFIX}{name}",
        zone=Zone.CONTROLLED,
        grain="one normalised allele, over a named sample set",
    )
