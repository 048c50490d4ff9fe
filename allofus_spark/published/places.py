"""Where releases lie: ``public/releases`` of a warehouse that is a folder, or a folder that is named."""

from __future__ import annotations

import re
from pathlib import Path

from allofus_spark.errors import BadSource, readable
from allofus_spark.hadoop import is_uri
from allofus_spark.settings import NAME_PATTERN
from allofus_spark.tables.contract import Zone

RELEASES = "releases"
_FILE_URI = re.compile(r"file:(?://)?(/(?!/).*)")


def releases_folder(root: str, chosen: str | Path | None) -> Path:
    """The folder of all releases: ``chosen``, else that of the warehouse at ``root``.

    Raises BadSource where it is not on a file system that is mounted: whoever writes, verifies or reads a
    release opens its files.
    """
    if chosen is not None:
        folder = _local(str(chosen))
        if folder is None:
            raise BadSource(
                f"--releases {readable(str(chosen))}: releases are written to and read from local or mounted "
                "folders; copy them from one to elsewhere, or from elsewhere to one"
            )
        return folder
    folder = _local(root)
    if folder is None:
        raise BadSource(
            f"warehouse {readable(root)} is no local or mounted folder: name that of the releases with "
            "--releases FOLDER, which every node sees. Keep it: the next release is held against these"
        )
    return folder / Zone.PUBLIC.value / RELEASES


def release_folder(root: str, version: str, chosen: str | Path | None = None) -> Path:
    """The folder of one release, there or not; raises BadSource where ``version`` can be no name."""
    check_version(version)
    return releases_folder(root, chosen) / version


def check_version(version: str) -> None:
    """Raise BadSource unless it can be the name of a folder and nothing else."""
    if not re.fullmatch(NAME_PATTERN, version):
        raise BadSource(
            f"--version {readable(version)}: a release is named by letters, digits, dots, dashes and "
            "underscores, at most 100, the first a letter or digit, such as v8"
        )


def _local(path: str) -> Path | None:
    """A path as a folder of this machine; None: it is on another file system."""
    if of_file := _FILE_URI.fullmatch(path):
        return Path(of_file[1])
    return None if is_uri(path) else Path(path).absolute()
