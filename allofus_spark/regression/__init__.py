"""Regression of phenotypes on packed genotypes: models, tests of variants, p-values. Knows no Spark."""
