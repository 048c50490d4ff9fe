"""The index of a release: made once, made anew for another manifest, and never over other files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from allofus_spark.browser import prepare
from allofus_spark.browser.index import top_file
from allofus_spark.errors import BadSource
from allofus_spark.published import MANIFEST
from allofus_spark.settings import BrowserSettings
from benchmarks.synthetic import write_release

_SETTINGS = BrowserSettings(batch_rows=64, top_associations=7)


def state(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_an_index_is_kept_until_the_manifest_or_the_settings_change(tmp_path: Path) -> None:
    release, index = tmp_path / "v8", tmp_path / "index"
    release.mkdir()
    write_release(release, n_variants=300)
    prepare(release, index, _SETTINGS)
    first = state(index)
    prepare(release, index, _SETTINGS)
    assert state(index) == first
    prepare(release, index, BrowserSettings(batch_rows=128, top_associations=7))
    second = state(index)
    assert second["variants.arrow"] != first["variants.arrow"]
    manifest = release / MANIFEST
    manifest.write_text(manifest.read_text().replace('"release": "v8"', '"release": "v9"'))
    prepare(release, index, BrowserSettings(batch_rows=128, top_associations=7))
    assert state(index)["variants.arrow"] != second["variants.arrow"]


def test_an_unfinished_index_is_made_anew(tmp_path: Path) -> None:
    release, index = tmp_path / "v8", tmp_path / "index"
    release.mkdir()
    write_release(release, n_variants=300)
    prepare(release, index, _SETTINGS)
    (index / "indexed").write_text("unfinished")
    (index / "variants.arrow").write_bytes(b"half")
    prepare(release, index, _SETTINGS)
    assert (index / "variants.arrow").stat().st_size > 1_000


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    release, index = tmp_path / "v8", tmp_path / "index"
    release.mkdir()
    write_release(release, n_variants=100)
    index.mkdir()
    (index / "thesis.txt").write_text("years of work")
    with pytest.raises(BadSource, match="holds other files"):
        prepare(release, index, _SETTINGS)
    assert (index / "thesis.txt").read_text() == "years of work"


def test_what_is_no_release_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="is no release"):
        prepare(tmp_path, tmp_path / "index", _SETTINGS)


def test_the_strongest_associations_are_those_of_a_sort(
    release: Path, rows: Callable[[str], list[dict[str, Any]]], tmp_path: Path
) -> None:
    prepare(release, tmp_path / "index", _SETTINGS)
    for product in ("associations", "meta_associations"):
        expected: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for row in rows(product):
            expected[row["phenotype_id"], row.get("ancestry", "")].append(row["neg_log10_p"])
        found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for row in pq.read_table(top_file(tmp_path / "index", product)).to_pylist():
            found[row["phenotype_id"], row.get("ancestry", "")].append(row["neg_log10_p"])
        assert found == {key: sorted(values, reverse=True)[:7] for key, values in expected.items()}
