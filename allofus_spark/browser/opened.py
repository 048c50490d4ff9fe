"""A release that is open: its products to look up, and its small tables."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from allofus_spark.browser.asked import Allele, Refused
from allofus_spark.browser.cache import TableCache
from allofus_spark.browser.index import LOOKED_UP, SCANS, rows_file, top_file
from allofus_spark.browser.sorted_rows import Rows, SortedRows
from allofus_spark.genome import Build, build_from_text
from allofus_spark.published import ALL, Manifest, read_manifest, table_files
from allofus_spark.settings import MIB, BrowserSettings
from allofus_spark.tables.association_tables import META

Row = dict[str, Any]
# Genes and phenotypes are tens of thousands however many variants there are: these are held whole.
_HELD = ("genes", "groups", "phenotypes", "replications")
# Most rows of one product that one variant or rs number shows.
_MOST = 500


class OpenRelease:
    """A release's folder with its index; a product that it lacks is None or without rows."""

    def __init__(self, release: Path, index: Path, settings: BrowserSettings) -> None:
        self.folder = release
        self.settings = settings
        self.manifest: Manifest = read_manifest(release)
        self.build: Build = build_from_text(self.manifest.build)
        self.groups: tuple[str, ...] = (ALL, *self.manifest.groups)
        self._index = index
        self._cache = TableCache(settings.cache_mib * MIB)
        self.variants = self._sorted("variants")
        self.consequences = self._sorted("consequences")
        self._rsids = self._sorted("rsids")
        self._scans = [rows for name in SCANS if (rows := self._sorted(name))]
        self._small = {name: self._whole(table_files(release, name)) for name in _HELD}

    def _sorted(self, product: str) -> SortedRows | None:
        if not rows_file(self._index, product).is_file():
            return None
        return SortedRows(self._index, product, LOOKED_UP[product], self._cache)

    @staticmethod
    def _whole(files: list[Path]) -> list[Row]:
        return [row for path in files for row in pq.read_table(path).to_pylist()]

    def has(self, product: str) -> bool:
        """Whether the product was released."""
        return self.manifest.product(product) is not None

    def small(self, product: str) -> list[Row]:
        """Every row of a small product."""
        return self._small[product]

    def rows_between(self, contig: str, first: int, last: int) -> Rows:
        """Variants that begin at ``first`` to ``last`` of a contig."""
        return Rows(0, 0) if self.variants is None else self.variants.find(first, last, contig)

    def variant(self, allele: Allele) -> Row | None:
        """The variant with this allele; one that an id shortens is found by its id."""
        ids = {
            self.build.variant_id(allele.contig, allele.position, allele.ref, allele.alt),
            f"{allele.contig}-{allele.position}-{allele.ref}-{allele.alt}",
            f"{allele.contig.removeprefix('chr')}-{allele.position}-{allele.ref}-{allele.alt}",
        }
        return next(iter(self._at(self.variants, allele, ids)), None)

    def consequences_of(self, variant: Row) -> list[Row]:
        """Its consequences by transcript."""
        return self._at(self.consequences, _allele_of(variant), {variant["variant_id"]})[:_MOST]

    def associations_of(self, variant: Row) -> list[Row]:
        """Its associations, the strongest first; those over ancestries have the ancestry ``meta``."""
        found: list[Row] = [
            {"ancestry": META} | row
            for rows in self._scans
            for row in self._at(rows, _allele_of(variant), {variant["variant_id"]})
        ]
        return sorted(found, key=lambda row: -row["neg_log10_p"])[:_MOST]

    def _at(self, rows: SortedRows | None, allele: Allele, ids: set[str]) -> list[Row]:
        if rows is None:
            return []
        here = rows.read(rows.find(allele.position, allele.position, allele.contig)).to_pylist()
        return [row for row in here if row["variant_id"] in ids]

    def variants_of_rs(self, number: int) -> list[Row]:
        """The variants that catalogues have under an rs number."""
        if self._rsids is None:
            raise Refused(404, "This release has no table of rs numbers.")
        found = self._rsids.find(number, number)
        named = self._rsids.read(Rows(found.first, min(found.end, found.first + _MOST))).to_pylist()
        return [
            row for item in named for row in self._at(self.variants, _allele_of(item), {item["variant_id"]})
        ]

    @cached_property
    def _genes_by_name(self) -> dict[str, list[Row]]:
        by_name: defaultdict[str, list[Row]] = defaultdict(list)
        for gene in self._small["genes"]:
            for name in {gene["gene_symbol"].upper(), (gene["gene_id"] or gene["gene_symbol"]).upper()}:
                by_name[name].append(gene)
        return dict(by_name)

    def genes(self, name: str) -> list[Row]:
        """The genes of a symbol or id in any case: one a contig that has it."""
        return self._genes_by_name.get(name.strip().upper(), [])

    @cached_property
    def phenotypes(self) -> dict[str, list[Row]]:
        """Rows of phenotypes by their ids."""
        by_id: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._small["phenotypes"]:
            by_id[row["phenotype_id"]].append(row)
        return dict(by_id)

    @cached_property
    def _replications(self) -> dict[str, list[Row]]:
        by_variant: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._small["replications"]:
            by_variant[row["variant_id"]].append(row)
        return dict(by_variant)

    def replications_of(self, variant: Row) -> list[Row]:
        """Known associations of a variant, and whether they are seen again."""
        return self._replications.get(variant["variant_id"], [])[:_MOST]

    def top_associations(self, phenotype_id: str) -> list[Row]:
        """The strongest associations of a phenotype: of each scan and ancestry, strongest first."""
        found: list[Row] = []
        for scan in reversed(SCANS):
            path = top_file(self._index, scan)
            if path.is_file():
                rows = pq.read_table(path, filters=[("phenotype_id", "==", phenotype_id)])
                found += [{"ancestry": META} | row for row in rows.to_pylist()]
        return found


def _allele_of(variant: Row) -> Allele:
    return Allele(variant["contig"], variant["position"], variant["ref"], variant["alt"])
