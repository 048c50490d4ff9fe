"""Where an export goes: parts are put together beside the target, which appears only when it is whole."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from allofus_spark.errors import BadSource

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_OF_HAIL = "metadata.json.gz"  # what every MatrixTable has


@dataclass(frozen=True)
class Target:
    """``stem + ending`` for each of ``endings``, the main one last; ``suffix`` names the format."""

    stem: str
    endings: tuple[str, ...]

    @property
    def main(self) -> Path:
        return self.path(self.endings[-1])

    @property
    def scratch(self) -> Path:
        return Path(f"{self.main}.exporting")

    def path(self, ending: str) -> Path:
        return Path(f"{self.stem}{ending}")


def resolve_target(out: str, endings: Sequence[str]) -> Target:
    """The target of ``--out``, given with or without an ending; ``endings`` are the files to be made.

    Raises BadSource where it is not on a file system that is mounted here, or something else is there.
    """
    scheme = _SCHEME.match(out)
    if scheme is not None and scheme[1].lower() != "file":
        raise BadSource(
            f"{out}: exports are written to local or mounted folders only; name one, then copy the files"
        )
    stem = re.sub(r"^file:/+", "/", out)
    if stem.endswith((".vcf", ".vcf.bgz")) and endings[-1] == ".vcf.gz":
        raise BadSource(f"{out}: the ending of an exported VCF is .vcf.gz")
    for ending in endings:
        stem = stem.removesuffix(ending)
    if not os.path.basename(stem):
        raise BadSource(f"{out}: --out must be the name of a file, not only a folder")
    target = Target(os.path.abspath(stem), tuple(endings))
    folders = [str(target.path(end)) for end in endings if end != ".mt" and target.path(end).is_dir()]
    if folders:
        raise BadSource(
            f"{', '.join(folders)}: a folder has the name of a file to be made; name another place"
        )
    if target.main.is_dir() and not (target.main / _OF_HAIL).exists():
        raise BadSource(f"{target.main}: a folder that no export made is there; name another place")
    return target


@contextmanager
def scratch_folder(target: Target) -> Iterator[Path]:
    """A folder beside the target for what is not finished, removed at the end; a killed run's goes first."""
    shutil.rmtree(target.scratch, ignore_errors=True)
    try:
        target.scratch.mkdir(parents=True)
    except OSError as error:
        raise BadSource(f"{target.main}: cannot be written there: {error.strerror}") from None
    try:
        yield target.scratch
    finally:
        shutil.rmtree(target.scratch, ignore_errors=True)


def check_not_read(target: Target, inputs: Iterable[str]) -> None:
    """Raise BadSource where a file to be made is one of ``inputs``, which it would replace."""
    read = {os.path.realpath(path) for path in inputs}
    own = [str(target.path(end)) for end in target.endings if os.path.realpath(target.path(end)) in read]
    if own:
        raise BadSource(f"{', '.join(own)}: this file is read by the export; name another place with --out")


def put_in_place(files: Mapping[str, Path], target: Target) -> None:
    """Move finished files, by ending, to the target: the main one goes first and comes last.

    So it never stands beside files of another export.
    """
    for ending in target.endings[::-1]:
        _remove(target.path(ending))
    for ending in target.endings:
        if ending in files:
            os.replace(files[ending], target.path(ending))


def bytes_of(path: Path) -> int:
    """Size of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir() and path.suffix == ".mt":
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
