"""What a release looks like, for those who write it, attack it, and show it."""

from allofus_spark.published.manifest import (
    FORMAT,
    MANIFEST,
    Manifest,
    ReleasedColumn,
    ReleasedFile,
    ReleasedProduct,
    read_manifest,
    table_files,
)
from allofus_spark.published.products import ALL, UNLABELLED, products, variants

__all__ = [
    "ALL",
    "FORMAT",
    "MANIFEST",
    "UNLABELLED",
    "Manifest",
    "ReleasedColumn",
    "ReleasedFile",
    "ReleasedProduct",
    "products",
    "read_manifest",
    "table_files",
    "variants",
]
