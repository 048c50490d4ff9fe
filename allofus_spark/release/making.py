"""A release in the making: what it is made from, what was made, and why not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.published import ReleasedProduct, table_files
from allofus_spark.published import products as product_contracts
from allofus_spark.release.folder import PastRelease
from allofus_spark.release.people import Small, group_rows
from allofus_spark.release.writing import ProductWriter, Written
from allofus_spark.settings import ReleaseSettings
from allofus_spark.tables import Run, Table, Warehouse

AccessTimes = Callable[[Warehouse, int, int], Sequence[Any]]
# Why products are exempt that count no people.
NOT_OF_PEOPLE = {
    "consequences": "says what alleles do to transcripts; counts nobody",
    "rsids": "names of alleles; counts nobody",
    "genes": "counts variants, not people",
    "variant_counts": "counts variants, not people",
    "replication_summary": "counts known associations, not people",
}
AN_EXEMPT = (
    "allele numbers are exempt: denominators, without which a frequency cannot be pooled; they say how many "
    "were called, not who carries"
)
"""Why allele numbers are shown of groups that are large enough to show."""


@dataclass
class Making:
    """A release in the making: what it is made from, and what was made."""

    warehouse: Warehouse
    run: Run
    writer: ProductWriter
    past: Sequence[PastRelease]
    sizes: Mapping[str, int]
    access_times: AccessTimes | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    kept: dict[str, tuple[int, int]] = field(default_factory=dict)
    made: list[ReleasedProduct] = field(default_factory=list)
    told_of: set[str] = field(default_factory=set)

    @property
    def rules(self) -> ReleaseSettings:
        return self.warehouse.settings.release

    @property
    def groups(self) -> tuple[str, ...]:
        return self.warehouse.settings.frequencies.ancestry_groups

    @cached_property
    def contracts(self) -> dict[str, Table]:
        return {table.name: table for table in product_contracts(self.groups)}

    @cached_property
    def sizes_shown(self) -> dict[str, int | None]:
        """Participants by group as ``groups`` shows them."""
        return {row["ancestry"]: row["n_participants"] for row in group_rows(self.sizes, self.rules).rows}

    def products(self) -> list[ReleasedProduct]:
        """What was made, in the order of the contracts."""
        order = list(self.contracts)
        return sorted(self.made, key=lambda product: order.index(product.name))

    def forget(self, product: str) -> None:
        """Remove a product that is to be written again."""
        self.made = [each for each in self.made if each.name != product]
        shutil.rmtree(self.writer.folder / "tables" / product, ignore_errors=True)

    def released(self, product: str) -> DataFrame:
        """Rows of a product of this release that is written."""
        files = [f"file://{path}" for path in table_files(self.writer.folder, product)]
        return self.warehouse.spark.read.parquet(*files)

    def released_by(self, release: PastRelease, product: str) -> DataFrame:
        """Rows of a product of an earlier release."""
        files = [f"file://{path}" for path in table_files(release.folder, product)]
        return self.warehouse.spark.read.parquet(*files)

    def chosen(self, table: Table, column: str, value: str) -> DataFrame:
        """Rows of a table with this value; none where the table is not there."""
        if not self.run.holds(table):
            return self.warehouse.spark.createDataFrame([], table.schema)
        return self.run.read(table).where(F.col(column) == value)

    def has(self, product: str) -> bool:
        return any(each.name == product for each in self.made)

    def wanted(self, product: str, *tables: Table) -> bool:
        """Whether a product is to be made; what is missing for it is noted."""
        if getattr(self.rules.policy, product) == "leave_out":
            self.left_out[product] = f"release.policy.{product} leaves it out"
            return False
        if missing := [table.name for table in tables if not self.run.holds(table)]:
            self.left_out[product] = f"there is no table {', '.join(missing)}"
            return False
        return True

    def add(self, product: str, written: Written | None, withheld: Mapping[str, int], *tables: str) -> None:
        """Note a product that was written; None: that it has no row."""
        if written is None:
            self.left_out[product] = "it would have no row"
            return
        policy = getattr(self.rules.policy, product)
        reason = getattr(self.rules.reason, product, "") if policy == "exempt" else ""
        if product == "variants" and policy != "exempt":
            reason = AN_EXEMPT
        sources = {name: self.run.inputs[name] for name in tables if name in self.run.inputs}
        self.made.append(
            written.described(
                self.writer.folder,
                policy=policy,
                reason=NOT_OF_PEOPLE.get(product, reason),
                withheld={name: n for name, n in withheld.items() if n},
                sources=sources,
            )
        )

    def add_small(self, product: str, small: Small, *tables: str) -> None:
        """Write and note a product that the driver holds."""
        written = self.writer.write_rows(self.contracts[product], small.rows)
        self.add(product, written, small.withheld, *tables)
