"""The invented releases that the browser is tried on have the shape of a real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from allofus_spark.genome import load_build
from allofus_spark.published import products, read_manifest

CONTIGS = {name: number for number, name in enumerate(load_build("GRCh38").contig_lengths)}


@pytest.mark.parametrize("product", ["variants", "consequences", "associations", "meta_associations"])
def test_alleles_are_in_the_build_s_order(rows: Callable[[str], list[dict[str, Any]]], product: str) -> None:
    places = [(CONTIGS[row["contig"]], row["position"], row["ref"], row["alt"]) for row in rows(product)]
    assert places == sorted(places)
    assert len({contig for contig, *_ in places}) == 22


def test_every_product_is_there_and_its_files_are_listed(release: Path) -> None:
    manifest = read_manifest(release)
    assert [item.name for item in manifest.products] == [item.name for item in products(manifest.groups)]
    for product in manifest.products:
        listed = [release / file.path for file in product.files]
        assert sorted(listed) == sorted((release / "tables" / product.name).iterdir())
        assert sum(pq.read_metadata(path).num_rows for path in listed) == product.rows
