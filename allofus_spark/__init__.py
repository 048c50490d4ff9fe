"""Population genomics on Spark, Hail and Delta Lake."""

__version__ = "0.1.0"
