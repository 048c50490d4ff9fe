"""The manifest of a release: what it holds, and what it was made from.

A release is a folder ``public/releases/VERSION`` of a warehouse. It is complete when it has its manifest,
which is written last; nothing in it changes afterwards::

    manifest.json             this
    dictionary.json           every product and column, for machines
    CHANGES.md                against the release before
    verification.json         what the attacker tried, and derived
    tables/PRODUCT/           a Delta table of one version, without partitions: all its *.parquet are live
    tsv/PRODUCT.tsv.gz        the same, bgzip; arrays joined by commas, null is empty
    vcf/variants.vcf.gz       sites without genotypes, with .tbi
    report/index.html         the report
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from allofus_spark.errors import BadSource, readable

MANIFEST = "manifest.json"
FORMAT = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleasedFile(_Part):
    """One file: its path in the release, size, and SHA-256."""

    path: str
    bytes: int
    sha256: str


class ReleasedColumn(_Part):
    """One column of a product."""

    name: str
    type: str
    nullable: bool
    description: str


class ReleasedProduct(_Part):
    """One product: its rows, how its counts of people are kept, and where they come from.

    ``policy``: suppress, round or exempt, with ``reason``; ``withheld``: cells or rows withheld, by name.
    """

    name: str
    grain: str
    policy: str
    reason: str
    rows: int
    withheld: dict[str, int]
    columns: list[ReleasedColumn]
    source_tables: dict[str, int]
    files: list[ReleasedFile]


class Manifest(_Part):
    """What ``manifest.json`` says. ``floor``: counts of people from 1 to it are nowhere, and none follows.

    ``genome_wide_p``: association.genome_wide_p of the release's scans; None: it was made without saying.
    """

    format: int
    release: str
    created: str
    build: str
    groups: list[str]
    floor: int = Field(ge=1)
    round_to: int
    previous: list[str]
    snapshot_id: int
    package_version: str
    settings_hash: str
    products: list[ReleasedProduct]
    genome_wide_p: float | None = None

    @model_validator(mode="after")
    def _is_wide(self) -> Self:
        # A rounded count of fewer would say that it lies within the floor.
        if self.round_to < 2 * self.floor:
            raise ValueError(f"round_to {self.round_to} must be at least twice the floor {self.floor}")
        return self

    def product(self, name: str) -> ReleasedProduct | None:
        """The product of this name, if it was released."""
        return next((product for product in self.products if product.name == name), None)


def read_manifest(release: Path) -> Manifest:
    """The manifest of a release's folder; raises BadSource where there is none, or it cannot be read."""
    path = release / MANIFEST
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest.model_validate(read)
    except FileNotFoundError:
        raise BadSource(f"{release} is no release: it has no {MANIFEST}") from None
    except ValidationError as error:
        where = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ")
            for each in error.errors()[:5]
        )
        raise BadSource(
            f"{path} is no manifest of a release, {error.error_count():,} errors: {readable(where)}"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise BadSource(f"{path} cannot be read as the manifest of a release: {error}") from error
    if manifest.format != FORMAT:
        raise BadSource(f"{path} has format {manifest.format}; this version reads format {FORMAT}")
    return manifest


def table_files(release: Path, product: str) -> list[Path]:
    """The Parquet files of a product, in the order of its rows; empty where it was not released."""
    return sorted((release / "tables" / product).glob("*.parquet"))
