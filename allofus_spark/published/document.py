"""The documentation of a release's products, made from their contracts.

``python -m allofus_spark.published.document > docs/products.md``
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from allofus_spark.published.products import products
from allofus_spark.settings import Settings
from allofus_spark.tables.contract import Table
from allofus_spark.tables.document import table_section

_INTRODUCTION = """\
# Products of a release

Written by `python -m allofus_spark.published.document` from the contracts in
`allofus_spark/published/products/`; change those, then run it again. The ancestry groups are those of the
default settings; a release has those of its manifest.

A release is a folder, and every product of it is there twice: `tables/PRODUCT/` is a Delta table of one
version, without partitions, all of whose Parquet files are live; `tsv/PRODUCT.tsv.gz` holds the same rows,
with arrays joined by commas and nothing for null. `variants` is in `vcf/variants.vcf.gz` too. Contigs are in
the build's order. A product may be left out: `manifest.json` lists those that there are, each with its policy
(`suppress`, `round` or `exempt`), why, and how many cells are withheld. [How that is decided](release.md).

A count of people is shown exactly, rounded up to a multiple of the manifest's `round_to`, or withheld: null.
Null without a mark of being withheld means that there is nothing to count."""


def document_products(tables: Sequence[Table]) -> str:
    """Markdown with a list of the products, then one section each."""
    rows = [f"| [{item.name}](#{item.name}) | {item.grain} |" for item in tables]
    overview = "\n".join(["| product | one row is |", "|---|---|", *rows])
    return "\n\n".join([_INTRODUCTION, overview, *map(table_section, tables)]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document_products(products(Settings().frequencies.ancestry_groups)))
