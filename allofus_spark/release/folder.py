"""Where releases lie, and which there are: complete ones, and what a killed attempt left."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from allofus_spark.errors import BadSource
from allofus_spark.hadoop import is_uri
from allofus_spark.published import MANIFEST, RELEASES, Manifest, read_manifest
from allofus_spark.tables import Warehouse, Zone

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PastRelease:
    """A complete release."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.release


def releases_folder(warehouse: Warehouse, chosen: str | None) -> Path:
    """The folder of all releases: ``chosen``, else ``public/releases`` of a warehouse that is a folder.

    Raises BadSource where it is not on a file system that is mounted: whoever verifies or reads a release
    opens its files.
    """
    if chosen is not None:
        if is_uri(chosen):
            raise BadSource(
                f"{chosen}: releases are written to local or mounted folders; then copy the folder"
            )
        return Path(chosen).absolute()
    if warehouse.local_root is None:
        raise BadSource(
            f"warehouse {warehouse.root} is no local or mounted folder: name one for the releases with "
            "--releases FOLDER, mounted on every node, and keep it, as the next release is held against it; "
            "then copy the release to where it is to be read"
        )
    return Path(warehouse.local_root) / Zone.PUBLIC.value / RELEASES


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
