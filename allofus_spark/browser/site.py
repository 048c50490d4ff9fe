"""What every page needs of the release: its name, its facts, its files."""

from __future__ import annotations

from pathlib import Path

from allofus_spark.browser.opened import OpenRelease
from allofus_spark.browser.sorted_rows import Rows
from allofus_spark.published import ALL, MANIFEST

# Beside the files that the manifest lists: the manifest itself, and what is written about it.
_BESIDE = (MANIFEST, "dictionary.json", "CHANGES.md", "verification.json")
REPORT = "report/index.html"


class Site:
    """The open release, and what pages say of it; made once a process."""

    def __init__(self, opened: OpenRelease) -> None:
        self.opened = opened
        self.manifest = opened.manifest
        self.files = self._files()
        self.examples = self._examples()
        self.has_report = (opened.folder / REPORT).is_file()

    def _examples(self) -> list[str]:
        """Something to search for that is there: a variant, its rs number, a gene, a region."""
        variants = self.opened.variants
        if variants is None or not variants.num_rows:
            return []
        middle = variants.num_rows // 2
        (row,) = variants.read(Rows(middle, middle + 1)).to_pylist()
        genes = sorted(self.opened.small("genes"), key=lambda gene: -gene["n_variants"])
        region = f"{row['contig']}:{max(row['position'] - 50_000, 1)}-{row['position'] + 50_000}"
        return [row["variant_id"], *row["rsids"][:1], *(gene["gene_symbol"] for gene in genes[:1]), region]

    def _files(self) -> dict[str, Path]:
        """The files that may be downloaded, by their paths in the release: these and no others."""
        listed = {file.path for product in self.manifest.products for file in product.files}
        listed |= set(_BESIDE)
        root = self.opened.folder.resolve()
        paths = {name: (root / name).resolve() for name in sorted(listed)}
        return {name: path for name, path in paths.items() if path.is_relative_to(root) and path.is_file()}

    @property
    def floor(self) -> int:
        """Counts of people from 1 to this are nowhere."""
        return self.manifest.floor

    @property
    def withheld(self) -> str:
        """What a withheld cell says."""
        return f"withheld: fewer than {self.floor + 1} people, or would tell of fewer"

    def participants(self) -> int | None:
        """People with genomes; None: withheld, or not released."""
        found = [row for row in self.opened.small("groups") if row["ancestry"] == ALL]
        return found[0]["n_participants"] if found else None

    def facts(self) -> list[tuple[str, int | None, str]]:
        """Numbers of the home page: a name, the number or None, and what it counts."""
        rows = {product.name: product.rows for product in self.manifest.products}
        phenotypes = len(self.opened.phenotypes) if "phenotypes" in rows else None
        return [
            ("Participants", self.participants(), "with genomes"),
            ("Variants", rows.get("variants"), "alleles with a row of their own"),
            ("Genes", rows.get("genes"), "with a released variant"),
            ("rs numbers", rows.get("rsids"), "that lead to an allele here"),
            ("Phenotypes", phenotypes, "diseases and measurements"),
            ("Associations", rows.get("associations"), "of a variant, phenotype and ancestry"),
        ]
