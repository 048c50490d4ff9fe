"""Files that are put together out of parts that tasks wrote."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from allofus_spark.errors import BadSource

_COPY_BYTES = 8 << 20


def put_together(path: Path, head: bytes, pieces: Iterable[Path], tail: bytes) -> None:
    """Write head, pieces in order and tail to ``path`` by streaming; a piece is removed once it is copied."""
    with path.open("wb") as whole:
        whole.write(head)
        for piece in pieces:
            check_seen(piece)
            with piece.open("rb") as source:
                shutil.copyfileobj(source, whole, _COPY_BYTES)
            piece.unlink()
        whole.write(tail)


def check_seen(written: Path) -> None:
    """Raise BadSource where a file that a task wrote is not on a file system that the driver shares."""
    if not written.exists():
        raise BadSource(
            f"{written}: a task wrote it where this machine does not see it; the folder that is written to "
            "must be mounted on every node"
        )
