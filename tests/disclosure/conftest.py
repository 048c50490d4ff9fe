"""A release in a folder, and what the attacker derives from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from allofus_spark.disclosure import Verification, verify_release
from allofus_spark.published import read_manifest
from tests.disclosure.folders import release

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
Attack = Callable[..., Verification]


@pytest.fixture
def attack(tmp_path: Path) -> Attack:
    """``attack(v1_tables, v2_tables, …)``: the last release attacked with those before.

    The tables have only the columns that matter, so that the manifest is given: they are no whole release.
    """

    def run(*releases: Tables) -> Verification:
        folders = [release(tmp_path / f"v{place + 1}", tables) for place, tables in enumerate(releases)]
        return verify_release(folders[-1], folders[:-1], read_manifest(folders[-1]))

    return run
