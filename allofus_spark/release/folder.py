"""Where releases lie, and which there are: complete ones, and what a killed attempt left."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allofus_spark.errors import BadSource
from allofus_spark.published import MANIFEST, Manifest, read_manifest

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PastRelease:
    """A complete release."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.release


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Write ``content``, whole or not at all: the file gets its name last."""
    draft = path.with_name(f".{path.name}.writing")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return draft.replace(path)


def past_releases(releases: Path) -> list[PastRelease]:
    """Complete releases, in the order in which they were made."""
    folders = sorted(path.parent for path in releases.glob(f"*/{MANIFEST}"))
    found = [PastRelease(folder, read_manifest(folder)) for folder in folders]
    return sorted(found, key=lambda release: (release.manifest.created, release.name))


def new_folder(releases: Path, version: str) -> Path:
    """An empty folder for a release; raises BadSource where the release exists.

    What an attempt left that did not end is removed: it has no manifest.
    """
    folder = releases / version
    if (folder / MANIFEST).exists():
        raise BadSource(
            f"release {version} exists: {folder}. Releases are never changed; give this one another name"
        )
    if folder.exists():
        _log.warning(f"{folder}: removed what an attempt left that did not end: it has no {MANIFEST}")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder
