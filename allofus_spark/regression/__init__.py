"""Regression of phenotypes on packed genotypes: models, tests of variants, p-values. Knows no Spark."""

from allofus_spark.regression.exact import refit
from allofus_spark.regression.fitted import Models
from allofus_spark.regression.fitting import fit_models
from allofus_spark.regression.models import Covariates, Fit, Phenotype, TestRules, Tests
from allofus_spark.regression.testing import test_variants

__all__ = [
    "Covariates",
    "Fit",
    "Models",
    "Phenotype",
    "TestRules",
    "Tests",
    "fit_models",
    "refit",
    "test_variants",
]
