"""Tables of association scans: tests by ancestry, their meta-analysis, and summaries over all tests.

A *scan* is what one command computes: phenotypes, covariates and people. Its rows are replaced whole, so that
a scan of one phenotype leaves the nightly one as it is.
"""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import COUNTERS, DOUBLE, DOUBLES, INT, LONG, LONGS, STRING, STRINGS
from allofus_spark.tables.variant_tables import ALLELE_COLUMNS, ALLELE_KEY

META = "meta"
LINEAR, SCORE = "linear", "score"
FIRTH_APPROXIMATE, FIRTH_EXACT = "firth_approximate", "firth_exact"
TESTS = {
    LINEAR: "least squares; p of Student's t",
    SCORE: "logistic score test; beta and se are those of one step from the null",
    FIRTH_APPROXIMATE: "Firth regression, covariate effects held at those of the null; p of the penalised "
    "likelihood ratio",
    FIRTH_EXACT: "Firth regression, covariate effects fitted anew; p of the penalised likelihood ratio, the "
    "null under the penalty of the full design",
}
OK = "ok"
STATUSES = {
    OK: "tested",
    "no_variation": "all people with a call have the same call",
    "too_rare": "fewer minor alleles than association.min_mac, or rarer than association.min_maf",
    "collinear": "the covariates tell the genotype",
    "no_convergence": "the fit did not settle",
    "perfect_fit": "the genotype tells the phenotype without error: beta stands, se and p do not",
}
# Upper edges of neg_log10_p of the histogram in association_summaries; the last bin is open.
QQ_EDGES = (
    *(number / 200 for number in range(1, 201)),
    *(1 + number / 10 for number in range(1, 91)),
    *(10.0 + number for number in range(1, 41)),
)
_DOSAGE = "by the dosage of the scan (haploid calls on X: association.x_male_dosage)"

_SCAN = Column("scan", STRING, "Name of the scan")
_PHENOTYPE = Column("phenotype_id", STRING, "Phenotype of phenotype_definitions")

ASSOCIATIONS = Table(
    name="associations",
    zone=Zone.REGISTERED,
    grain="one allele, phenotype and ancestry of a scan, with neg_log10_p of association.keep_neg_log10_p or "
    "more, or at a position of known_associations; internal: not disclosure-controlled",
    key=("scan", "phenotype_id", "ancestry", *ALLELE_KEY),
    columns=(
        _SCAN,
        *ALLELE_COLUMNS,
        _PHENOTYPE,
        Column("ancestry", STRING, "Ancestry group, or all: everybody pooled"),
        Column(
            "beta",
            DOUBLE,
            "Effect of one copy of alt: in units of the phenotype, or log odds; null: status",
            True,
        ),
        Column("se", DOUBLE, "Standard error of beta; null: see status", True),
        Column(
            "neg_log10_p", DOUBLE, "−log10 of the two-sided p, finite at any size; null: see status", True
        ),
        Column("n", INT, "People analysed, those without a call included: they count as the mean"),
        Column("n_cases", INT, "Of n, cases; null: quantitative", True),
        Column("n_controls", INT, "Of n, controls; null: quantitative", True),
        Column("ac", LONG, f"Copies of alt among the analysed, {_DOSAGE}"),
        Column("an", LONG, f"Alleles called among the analysed, two a call, {_DOSAGE}"),
        Column("af", DOUBLE, "ac / an; null where an is 0", True),
        Column("af_cases", DOUBLE, "The same among cases; null: quantitative, or no call", True),
        Column("af_controls", DOUBLE, "The same among controls; null: quantitative, or no call", True),
        Column(
            "test",
            STRING,
            f"{'; '.join(f'{name}: {text}' for name, text in TESTS.items())}; null: none",
            True,
        ),
        Column("status", STRING, f"{'; '.join(f'{name}: {text}' for name, text in STATUSES.items())}"),
    ),
    partition_by=("scan", "contig", "bin"),
    sort_by=("phenotype_id", "ancestry", "position", "ref", "alt"),
    checks={
        "tested_or_why_not": "(status = 'ok') = (neg_log10_p IS NOT NULL)",
        "p_is_a_number": "neg_log10_p IS NULL OR (neg_log10_p >= 0 AND neg_log10_p < 1e300)",
    },
)

META_ASSOCIATIONS = Table(
    name="meta_associations",
    zone=Zone.REGISTERED,
    grain="one allele and phenotype of a scan, over the ancestries in which it was tested; kept as in "
    "associations",
    key=("scan", "phenotype_id", *ALLELE_KEY),
    columns=(
        _SCAN,
        *ALLELE_COLUMNS,
        _PHENOTYPE,
        Column("ancestries", STRINGS, "Ancestries with a test, in alphabetical order"),
        Column("beta", DOUBLE, "Mean of their betas, weighted by 1 / se² (fixed effect)"),
        Column("se", DOUBLE, "1 / √ of the sum of these weights"),
        Column("neg_log10_p", DOUBLE, "−log10 of the two-sided p of beta / se"),
        Column("n", INT, "People analysed in these ancestries"),
        Column("n_cases", INT, "Of n, cases; null: quantitative", True),
        Column("n_controls", INT, "Of n, controls; null: quantitative", True),
        Column("q", DOUBLE, "Cochran's Q: heterogeneity; null: one ancestry", True),
        Column(
            "q_neg_log10_p",
            DOUBLE,
            "−log10 p of Q, χ² with one degree less than ancestries; null likewise",
            True,
        ),
        Column(
            "i2", DOUBLE, "I², share of the variance that heterogeneity makes, 0 to 1; null likewise", True
        ),
        Column(
            "left_out_beta", DOUBLES, "beta without each of the ancestries, in their order; empty: only one"
        ),
        Column("left_out_se", DOUBLES, "se likewise"),
        Column("left_out_neg_log10_p", DOUBLES, "neg_log10_p likewise"),
    ),
    partition_by=("scan", "contig", "bin"),
    sort_by=("phenotype_id", "position", "ref", "alt"),
)

ASSOCIATION_SUMMARIES = Table(
    name="association_summaries",
    zone=Zone.REGISTERED,
    grain="one phenotype and ancestry of a scan, from every test, whether or not stored; internal: not "
    "disclosure-controlled",
    key=("scan", "phenotype_id", "ancestry"),
    columns=(
        _SCAN,
        _PHENOTYPE,
        Column("ancestry", STRING, f"Ancestry group; all: everybody pooled; or {META}"),
        Column("kind", STRING, "binary or quantitative"),
        Column(
            "status",
            STRING,
            "scanned; or why not: too_few_cases, too_few_controls, too_few_people, constant, no_fit",
        ),
        Column("n", INT, "People analysed"),
        Column("n_cases", INT, "Of n, cases; null: quantitative", True),
        Column("n_controls", INT, "Of n, controls; null: quantitative", True),
        Column("n_no_covariate", INT, "People with the phenotype that lack a covariate, and were left out"),
        Column("covariates", STRINGS, "Covariates of the model beside the intercept"),
        Column("dropped_covariates", STRINGS, "Covariates that were not used, each with why: sex: constant"),
        Column("n_tested", LONG, "Variants with a p"),
        Column("n_by_status", COUNTERS, "Variants by status of associations"),
        Column("n_by_test", COUNTERS, "Tested variants by test of associations"),
        Column("lambda_gc", DOUBLE, "Median χ² of one degree of freedom over 0.4549; null: no test", True),
        Column(
            "lambda_gc_common",
            DOUBLE,
            "The same of variants with a minor allele frequency of 5 % or more",
            True,
        ),
        Column("n_genome_wide", LONG, "Variants with p under association.genome_wide_p"),
        Column("max_neg_log10_p", DOUBLE, "The highest neg_log10_p; null: no test", True),
        Column(
            "neg_log10_p_counts",
            LONGS,
            "Tests by neg_log10_p: steps of 0.005 to 1, of 0.1 to 10, of 1 to 50, and above; a bin holds its "
            "upper edge",
        ),
    ),
    partition_by=("scan",),
)
