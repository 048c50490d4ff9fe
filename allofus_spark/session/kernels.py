"""Where compiled kernels lie: numba keeps their machine code by a hash of the source and the processor."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
BESIDE_MODULES = "__pycache__"  # where numba looks when no folder is named
_INDEX, _CODE = ".nbi", ".nbc"


def numba_cache() -> str:
    """A folder of this user for compiled kernels, so that a machine compiles them once, not at each run."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "allofus-spark", "numba")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that cannot be written
        return tempfile.mkdtemp(prefix="allofus-numba-")
    return str(folder)


def compiled_kernels() -> Iterator[tuple[Path, Path]]:
    """Kernels of this package that this machine has compiled: the file, and its place beside the module."""
    cache = Path(os.environ.get("NUMBA_CACHE_DIR") or numba_cache())
    for folder in sorted({module.parent for module in _PACKAGE.rglob("*.py")}):
        # numba tells folders of one name apart by their full paths.
        own = cache / f"{folder.name}_{hashlib.sha1(str(folder).encode()).hexdigest()}"
        for file in sorted(own.glob("*.nb?")):
            if file.suffix in (_INDEX, _CODE):
                yield file, folder / BESIDE_MODULES / file.name


def takes_packed_kernels(cache: str) -> bool:
    """Whether a worker, told to keep kernels in the folder ``cache``, uses those that came with the package.

    An executor's folder is relative, to where it works and unpacked the package; on one machine the folder is
    the user's own, and what lies beside the modules was compiled there by the way.
    """
    return not os.path.isabs(cache) and any(
        os.access(file.parent, os.W_OK) for file in _PACKAGE.rglob(f"{BESIDE_MODULES}/*{_INDEX}")
    )
