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
from allofus_spark.published.places import RELEASES, check_version, release_folder, releases_folder
from allofus_spark.published.products import ALL, UNLABELLED, products, variants
from allofus_spark.published.small_counts import hide_small, rounded_up

__all__ = [
    "ALL",
    "FORMAT",
    "MANIFEST",
    "RELEASES",
    "UNLABELLED",
    "Manifest",
    "ReleasedColumn",
    "ReleasedFile",
    "ReleasedProduct",
    "check_version",
    "hide_small",
    "products",
    "read_manifest",
    "release_folder",
    "releases_folder",
    "rounded_up",
    "table_files",
    "variants",
]
