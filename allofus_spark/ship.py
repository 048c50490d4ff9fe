"""What the nodes of a cluster need of Python, in one archive that spark-submit sends along.

`python -m allofus_spark.ship --out env.tar.gz` packs this package and the packages that its tasks import, as
they are installed here: what a task runs is what the driver runs. Nothing is installed on a node by hand.
With

    PYSPARK_PYTHON=./env/bin/python spark-submit --archives env.tar.gz#env …

every executor unpacks it beside itself. Spark brings PySpark, and the folder of `allofus_spark.jars` Hail's
jar, so neither is packed; `--driver` packs them too, for clusters where the driver runs on a node. A node
needs the same Python at the same path (or at that of `--python`). The kernels that this machine has compiled
so far are packed with it; nodes with such a processor need not compile them again. Where nodes have the
packages already, `--package-only` packs this one alone, for `--conf spark.executorEnv.PYTHONPATH=./package`.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from isal import igzip_threaded
from packaging.requirements import Requirement

from allofus_spark.errors import AllofusError, EnvironmentProblem
from allofus_spark.session.kernels import compiled_kernels

OWN_PACKAGE = "allofus-spark"
# Found by Spark's own search path on every node, or imported by the driver alone.
ON_THE_DRIVER = frozenset({"hail", "pyspark"})
# Named by no requirement of ours, and read by PySpark's workers.
BESIDE = ("pandas",)
_ROOT = Path(__file__).parent
_LEFT_OUT = frozenset({"tests", "include", "__pycache__"})  # a third of the files, which no task opens
_LEFT_OUT_SUFFIXES = frozenset({".pyi", ".pxd", ".pyx", ".a", ".h"})
_THREADS = 2


class Packed(NamedTuple):
    """An archive that was written: distributions and files in it, and its bytes."""

    file: Path
    distributions: int
    files: int
    bytes: int


def needed_distributions(
    roots: Iterable[str], *, without: frozenset[str] = frozenset()
) -> list[Distribution]:
    """Installed distributions that ``roots`` require, and these; ``without`` some and what only they require.

    Raises EnvironmentProblem where one is not installed.
    """
    found: dict[str, Distribution] = {}
    waiting = [(name, OWN_PACKAGE) for name in roots]
    while waiting:
        name, asked_by = waiting.pop()
        name = name.lower().replace("_", "-")
        if name in found or name in without:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            raise EnvironmentProblem(
                f"{asked_by} needs the Python package {name}, which is not installed here; `make setup` "
                "brings it"
            ) from None
        required = map(Requirement, found[name].requires or ())
        waiting += [(item.name, name) for item in required if _applies(item)]
    return [found[name] for name in sorted(found)]


def pack_environment(out: Path, *, driver: bool = False, python: str | None = None) -> Packed:
    """Write the archive of a Python environment; one that is there is replaced when the new one is whole.

    Parameters
    ----------
    driver
        Pack what a driver imports as well.
    python
        Path of Python on the nodes, of this one's version; None: this one's path.
    """
    without = frozenset() if driver else ON_THE_DRIVER
    packages = needed_distributions((OWN_PACKAGE, *BESIDE), without=without)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = PurePosixPath("lib", version, "site-packages")
    files = [(site / name, path) for item in packages for name, path in _installed(item)]
    files += [(site / _ROOT.name / name, path) for name, path in _own_files()]
    base = python or str(Path(sys.executable).resolve())
    home = f"home = {PurePosixPath(base).parent}\ninclude-system-site-packages = false\n"
    links = {"bin/python": base, "bin/python3": "python", f"bin/{version}": "python"}
    return _write(out, files, links, {"pyvenv.cfg": home}, len(packages))


def pack_package(out: Path) -> Packed:
    """Write the archive of this package alone."""
    files = [(PurePosixPath(_ROOT.name) / name, path) for name, path in _own_files()]
    return _write(out, files, {}, {}, 1)


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _installed(item: Distribution) -> Iterator[tuple[PurePosixPath, Path]]:
    """Files of a distribution below site-packages; its scripts lie elsewhere, and a node runs none."""
    for file in item.files or ():
        path = PurePosixPath(file)
        if ".." not in path.parts and path.suffix != ".pth" and _is_used(path):
            yield path, Path(str(file.locate()))


def _own_files() -> Iterator[tuple[PurePosixPath, Path]]:
    """Files of this package, which an editable install does not list, and its compiled kernels."""
    for file, place in compiled_kernels():
        yield PurePosixPath(place.relative_to(_ROOT)), file
    for path in sorted(_ROOT.rglob("*")):
        name = PurePosixPath(path.relative_to(_ROOT))
        if path.is_file() and _is_used(name):
            yield name, path


def _is_used(path: PurePosixPath) -> bool:
    return _LEFT_OUT.isdisjoint(path.parts) and path.suffix not in _LEFT_OUT_SUFFIXES


def _write(
    out: Path,
    files: Iterable[tuple[PurePosixPath, Path]],
    links: dict[str, str],
    texts: dict[str, str],
    distributions: int,
) -> Packed:
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    chosen = dict(files)
    try:
        with (
            igzip_threaded.open(part, "wb", compresslevel=1, threads=_THREADS) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            for name, target in links.items():
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, target
                archive.addfile(link)
            for name, text in texts.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                archive.addfile(entry, BytesIO(text.encode()))
            for path, source in chosen.items():
                archive.add(source.resolve(), str(path), recursive=False)
        part.replace(out)
    except OSError as error:
        raise EnvironmentProblem(f"{out} cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return Packed(out, distributions, len(chosen), out.stat().st_size)


def main(arguments: list[str] | None = None) -> int:
    """Pack what the nodes of a cluster need of Python."""
    parser = argparse.ArgumentParser(prog="python -m allofus_spark.ship", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.tar.gz", help="the archive")
    parser.add_argument(
        "--python", metavar="PATH", help="Python on the nodes, where it is not at this one's path"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--driver", action="store_true", help="for a driver that runs on a node too")
    what.add_argument("--package-only", action="store_true", help="for nodes that have the other packages")
    options = parser.parse_args(arguments)
    if not options.out.name.endswith(".tar.gz"):
        parser.error(f"--out {options.out}: Spark unpacks it by its name, which must end in .tar.gz")
    try:
        if options.package_only:
            packed = pack_package(options.out)
        else:
            packed = pack_environment(options.out, driver=options.driver, python=options.python)
    except AllofusError as problem:
        print(f"ship: {problem}", file=sys.stderr)
        return 1
    size = f"{packed.bytes / 1e6:,.0f} MB" if packed.bytes >= 1e6 else f"{packed.bytes / 1e3:,.0f} kB"
    print(f"ship: {packed.distributions} packages, {packed.files:,} files, {size} in {packed.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
