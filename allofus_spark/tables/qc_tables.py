"""Tables of quality control: metrics of variants and samples, why they are flagged, what was not assessed.

The closed lists of reasons have their one home here.
"""

from collections.abc import Mapping, Sequence

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BOOLEAN, DOUBLE, INT, LONG, STRING, STRINGS, struct
from allofus_spark.tables.variant_tables import ALLELE_COLUMNS, ALLELE_KEY, CALLSET_COLUMN

EXCESS_HET, NO_HQ_GENOTYPES, LOW_QUAL = "ExcessHet", "NO_HQ_GENOTYPES", "LowQual"
VARIANT_REASONS = {
    EXCESS_HET: "excess_het.phred is over qc.max_excess_het_phred",
    NO_HQ_GENOTYPES: "no call has GQ >= 20, DP >= 10 and, where het, allele balance >= 0.2",
    LOW_QUAL: "QUAL is under qc.min_snv_qual_phred or, for an allele of another length than REF, "
    "qc.min_indel_qual_phred",
}
VARIANT_NOT_ASSESSED = {
    "no_sample_meant": "call_rate: no sample is meant to have a call (non-PAR X and Y, by sex karyotype)",
    "not_diploid": "excess_het and HWE: nobody has two copies (non-PAR Y, MT)",
    "no_diploid_call": "ExcessHet: no sample that counts has a diploid call",
    "no_unrelated_list": "HWE: it is not known who is unrelated",
    "no_ancestry_label": "HWE: no unrelated sample of the callset has an ancestry label",
    "no_genotype_quality": "NO_HQ_GENOTYPES: variant_sites.n_high_quality_calls is null",
    "no_qual": "LowQual: QUAL is null",
    "no_qual_threshold": "LowQual: symbolic alleles and breakends have no threshold",
}
SEX_MISMATCH, SEX_AMBIGUOUS = "SexMismatch", "SexAmbiguous"
SAMPLE_REASONS = {
    SEX_MISMATCH: "inferred_sex is XX and samples.sex_karyotype XY, or the other way round",
    SEX_AMBIGUOUS: "inferred_sex is ambiguous",
}
SAMPLE_NOT_ASSESSED = {
    "no_call_meant": "call_rate: the callset has no variant at which the sample is meant to have a call",
    "few_x_calls": "inferred_sex: expected_x_hets is under qc.min_expected_x_hets",
    "no_sex_karyotype": "SexMismatch: samples.sex_karyotype is neither XX nor XY",
}

NO_PCS, NO_VALUE, FEW_SAMPLES, MAD_IS_ZERO = "no_pcs", "no_value", "few_samples", "mad_is_zero"
OUTLIER_NOT_ASSESSED = {
    NO_PCS: "ancestries has no PCs of the sample",
    NO_VALUE: "sample_qc has no value of the metric",
    FEW_SAMPLES: "fewer samples of the callset than PCs and 2 have PCs and the metric",
    MAD_IS_ZERO: "half of the residuals of the group or more are equal, but for rounding",
}

HARDY_WEINBERG = struct(n_hom_ref=INT, n_het=INT, n_hom_alt=INT, neg_log10_p=DOUBLE)
EXCESS_HETEROZYGOSITY = struct(n_hom_ref=INT, n_het=INT, n_hom_alt=INT, phred=DOUBLE)


def _listed(meaning: str, names: Mapping[str, str]) -> str:
    return f"{meaning}: {', '.join(names)} (see docs/methods.md)"


def variant_qc(ancestry_groups: Sequence[str]) -> Table:
    """The contract of ``variant_qc`` for the warehouse's ancestry groups."""
    groups = tuple(
        Column(
            f"hwe_{name}",
            HARDY_WEINBERG,
            f"Hardy-Weinberg test among unrelated samples of ancestry group {name} with two copies (XX alone "
            "on non-PAR X): their calls, and −log10 p of the two-sided exact test without mid-p, null "
            "without a call; null: see not_assessed",
            True,
            by_settings=True,
        )
        for name in ancestry_groups
    )
    return Table(
        name="variant_qc",
        zone=Zone.REGISTERED,
        grain="one allele in one active callset: its quality, flagged and never dropped",
        key=("callset_id", *ALLELE_KEY),
        columns=(
            CALLSET_COLUMN,
            *ALLELE_COLUMNS,
            Column("n_meant", INT, "Samples that are meant to have a call (XX not on non-PAR Y)"),
            Column(
                "n_called", INT, "Samples among n_meant with a call; a het where one copy is meant is none"
            ),
            Column("call_rate", DOUBLE, "n_called / n_meant; null when n_meant is 0", True),
            Column(
                "excess_het",
                EXCESS_HETEROZYGOSITY,
                "Too many heterozygotes among samples with two copies (the unrelated, where a list was "
                "given): their calls, and the phred-scaled one-sided mid-p, null without a call; null: see "
                "not_assessed",
                True,
            ),
            *groups,
            Column("reasons", STRINGS, _listed("Flags", VARIANT_REASONS)),
            Column(
                "not_assessed", STRINGS, _listed("What could not be judged, and why", VARIANT_NOT_ASSESSED)
            ),
        ),
        partition_by=("callset_id", "contig", "bin"),
        checks={
            "called_within_meant": "n_called BETWEEN 0 AND n_meant",
            "call_rate_null_iff_none_meant": "(n_meant = 0) = (call_rate IS NULL)",
        },
    )


SAMPLE_QC = Table(
    name="sample_qc",
    zone=Zone.CONTROLLED,
    grain="one sample of an active callset: its calls counted over all alleles of the callset",
    key=("callset_id", "sample_id"),
    columns=(
        Column("callset_id", STRING, "Callset that the sample belongs to"),
        Column("sample_id", STRING, "Sample id as written in the source"),
        Column("sample_index", INT, "0-based place of the sample in the callset's genotypes"),
        Column("n_called", LONG, "Alleles at which the sample has a call, of those where one is meant"),
        Column("n_missing", LONG, "Alleles at which a call is meant and missing"),
        Column("call_rate", DOUBLE, "n_called / (n_called + n_missing); null when both are 0", True),
        Column("n_hom_ref", LONG, "Diploid calls without a copy"),
        Column("n_het", LONG, "Diploid calls with one copy"),
        Column("n_hom_alt", LONG, "Diploid calls with two copies"),
        Column("n_hemi_ref", LONG, "Haploid calls without a copy (XY on non-PAR X and Y; all on MT)"),
        Column("n_hemi_alt", LONG, "Haploid calls with the copy"),
        Column("n_snv", LONG, "Alleles carried that are snv"),
        Column("n_snv_het", LONG, "Of n_het, calls of snv"),
        Column("n_snv_hom_alt", LONG, "Of n_hom_alt, calls of snv"),
        Column("n_insertion", LONG, "Alleles carried that are insertions"),
        Column("n_deletion", LONG, "Alleles carried that are deletions"),
        Column("n_other", LONG, "Alleles carried of any other kind (mnv, complex, symbolic, breakend)"),
        Column("n_transitions", LONG, "Alleles carried that are A-G or C-T snv"),
        Column("n_transversions", LONG, "Alleles carried that are any other snv of A, C, G and T"),
        Column("n_singletons", LONG, "Alleles carried whose allele count in the callset is 1"),
        Column(
            "n_not_in_catalogues",
            LONG,
            "Alleles carried that were compared with the catalogues of catalogue_set and are in none; null: "
            "no set was chosen",
            True,
        ),
        Column("catalogue_set", STRING, "Set of catalogues of n_not_in_catalogues", True),
        Column("ti_tv", DOUBLE, "n_transitions / n_transversions; null over 0", True),
        Column("het_hom_ratio", DOUBLE, "n_het / n_hom_alt; null over 0", True),
        Column("snv_het_hom_ratio", DOUBLE, "n_snv_het / n_snv_hom_alt; null over 0", True),
        Column("insertion_deletion_ratio", DOUBLE, "n_insertion / n_deletion; null over 0", True),
        Column("n_x_called", LONG, "Calls on non-PAR X as stored, whatever the sex karyotype"),
        Column("n_x_het", LONG, "Heterozygous ones of n_x_called"),
        Column("x_heterozygosity", DOUBLE, "n_x_het / n_x_called; null over 0", True),
        Column("expected_x_hets", DOUBLE, "Sum of 2p(1 − p) over n_x_called, p the allele frequency"),
        Column("x_f", DOUBLE, "F coefficient of non-PAR X, 1 − n_x_het / expected_x_hets; null over 0", True),
        Column("inferred_sex", STRING, "XX, XY or ambiguous, from x_f; null: see not_assessed", True),
        Column(
            "contradicts_sex_karyotype",
            BOOLEAN,
            "inferred_sex is the other of XX and XY than samples.sex_karyotype; null: either is neither",
            True,
        ),
        Column("reasons", STRINGS, _listed("Flags", SAMPLE_REASONS)),
        Column("not_assessed", STRINGS, _listed("What could not be judged, and why", SAMPLE_NOT_ASSESSED)),
    ),
    partition_by=("callset_id",),
    sort_by=("sample_index",),
    checks={
        "call_rate_null_iff_none_meant": "(n_called + n_missing = 0) = (call_rate IS NULL)",
        "calls_add_up": "n_called = n_hom_ref + n_het + n_hom_alt + n_hemi_ref + n_hemi_alt",
        "snv_calls_are_calls": "n_snv_het <= n_het AND n_snv_hom_alt <= n_hom_alt "
        "AND n_snv_het + n_snv_hom_alt <= n_snv",
        "kinds_add_up": "n_het + n_hom_alt + n_hemi_alt = n_snv + n_insertion + n_deletion + n_other",
    },
)

SAMPLE_OUTLIERS = Table(
    name="sample_outliers",
    zone=Zone.CONTROLLED,
    grain="one metric of one sample of an active callset, held against what its ancestry lets expect",
    key=("callset_id", "sample_id", "metric"),
    columns=(
        Column("callset_id", STRING, "Callset that the sample belongs to"),
        Column("sample_id", STRING, "Sample id as written in the source"),
        Column("sample_index", INT, "0-based place of the sample in the callset's genotypes"),
        Column("metric", STRING, "Column of sample_qc"),
        Column("value", DOUBLE, "Value of the metric; null: see not_assessed", True),
        Column(
            "expected",
            DOUBLE,
            "Value that the ancestry PCs let expect: ordinary least squares over the callset's samples; "
            "null: see not_assessed",
            True,
        ),
        Column("residual", DOUBLE, "value - expected; null: as expected", True),
        Column("ancestry", STRING, "Group whose residuals it is held against; unlabelled: no label"),
        Column("median", DOUBLE, "Median of the group's residuals; null: as expected", True),
        Column(
            "mad",
            DOUBLE,
            "Median absolute deviation of the group's residuals from their median, as it is (not times "
            "1.4826); null: as expected",
            True,
        ),
        Column("deviation_mads", DOUBLE, "(residual - median) / mad; null: see not_assessed", True),
        Column(
            "is_outlier",
            BOOLEAN,
            "deviation_mads is over qc.max_outlier_mads, or under its negative unless the metric is judged "
            "on its upper side alone (n_singletons, snv_het_hom_ratio); null: not assessed",
            True,
        ),
        Column(
            "not_assessed",
            STRING,
            f"Why it was not judged: {', '.join(OUTLIER_NOT_ASSESSED)} (see docs/methods.md); null: it was",
            True,
        ),
    ),
    partition_by=("callset_id",),
    sort_by=("metric", "sample_index"),
    checks={
        "assessed_or_why_not": "(is_outlier IS NULL) = (not_assessed IS NOT NULL)",
        "deviation_where_assessed": "(is_outlier IS NULL) = (deviation_mads IS NULL)",
    },
)
