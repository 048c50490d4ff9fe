"""Sample ids of ``.fam``, ``.psam`` and ``.sample`` files; sexes are not read, as they are in a sample file.

Ids are the IID column, as text: 007 and 7 are two people. Only the IID names a person here, so it may not
come twice, not even in two families.

Sources: PLINK 2 File Format Specification Draft, section "PSAM Format Specification"; for ``.sample``,
https://www.cog-genomics.org/plink/2.0/formats#sample.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.errors import BadSource, shown
from allofus_spark.genotypes.byte_ranges import ByteFile, check_counts
from allofus_spark.genotypes.text_columns import RowIndex, index_rows, read_columns

_FAM = ("FID", "IID", "PAT", "MAT", "SEX")
_ABSENT_ID = "0"


def read_samples(file: ByteFile, path: str, n_samples: int | None = None) -> list[str]:
    """The sample ids of a .fam or .psam, in its order.

    Parameters
    ----------
    n_samples
        Samples of the genotype file where that is known; BadSource where the rows are not as many.

    Raises
    ------
    BadSource
        Where an IID comes twice or is ``0``, the header names no IID, or a row has too few fields.
    """
    rows = index_rows(file, path)
    columns: tuple[str, ...] = _FAM
    if rows.header:
        columns = tuple(rows.header[-1].removeprefix("#").split())
        if columns[:1] != ("IID",) and columns[:2] != ("FID", "IID"):
            raise BadSource(
                f"{path}: the header line is {rows.header[-1][:60]!r}; that of a .psam begins with #IID or "
                "#FID IID"
            )
    check_counts(path, "samples", rows.n_rows, n_samples, "the genotype file")
    return _samples(file, rows, 0, columns.index("IID"), last_place=len(columns) - 1)


def read_oxford_samples(file: ByteFile, path: str, n_samples: int | None = None) -> list[str]:
    """The sample ids of a .sample file, which has two header lines, in its order.

    The id is ID_2 where the second column is so named, else the first column. Parameters and errors are
    those of ``read_samples``.
    """
    rows = index_rows(file, path)
    if rows.n_rows < 2:
        raise BadSource(
            f"{path}: has {rows.n_rows} lines; a .sample file has two header lines and one a sample"
        )
    heads = read_columns(
        file, rows, [str(place) for place in range(rows.n_fields)], range(rows.n_fields), 0, 2
    )
    names = [str(name).upper() for name in heads.slice(0, 1).to_pylist()[0].values()]
    kinds = list(heads.slice(1, 1).to_pylist()[0].values())
    if kinds[0] != "0":
        raise BadSource(
            f"{path}: the second line is {' '.join(kinds)[:60]!r}; that of a .sample file gives the kinds "
            "of its columns and begins with 0"
        )
    check_counts(path, "samples", rows.n_rows - 2, n_samples, "the genotype file")
    id_place = 1 if names[1:2] == ["ID_2"] else 0
    return _samples(file, rows, 2, id_place, last_place=id_place)


def _samples(file: ByteFile, rows: RowIndex, start: int, id_place: int, *, last_place: int) -> list[str]:
    """The ids; BadSource where a row has no column ``last_place``, as the last one of a cut file."""
    if rows.n_rows == start:
        raise BadSource(f"{rows.path}: has no samples: it is empty, or was cut short")
    places = sorted({id_place, last_place})
    text = read_columns(file, rows, list(map(str, places)), places, start, rows.n_rows).combine_chunks()
    return [str(name) for name in check_sample_ids(text[str(id_place)], rows.path).to_pylist()]


def check_sample_ids(ids: pa.ChunkedArray, path: str) -> pa.ChunkedArray:
    """The ids as given; raises BadSource where one comes twice, is empty or is the ``0`` of PLINK."""
    counted = pc.value_counts(ids)
    repeated = counted.field("values").filter(pc.greater(counted.field("counts"), 1)).to_pylist()
    if repeated:
        raise BadSource(
            f"{path}: {len(repeated)} sample ids come more than once: {shown(repeated)}. Ids (IID) must "
            "differ, also between families: rename them with plink2 --update-ids"
        )
    n_absent = pc.sum(pc.is_in(ids, value_set=pa.array([_ABSENT_ID, ""]))).as_py()
    if n_absent:
        raise BadSource(f"{path}: a sample has the id 0 or none, which means no id. Give every sample an id")
    return ids
