"""Site columns of ``.bim``, ``.pvar`` and ``.pvar.zst``.

A .pvar has a header line that names its columns in any order; without one, a file is read as .bim: CHROM, ID,
CM, POS, ALT, REF, or without CM where there are five columns. Which of the two alleles of a .bim is the
reference is a convention of whoever wrote it, so the caller says.

Source: PLINK 2 File Format Specification Draft, section "PVAR Format Specification"
(https://github.com/chrchang/plink-ng/tree/master/pgen_spec).
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.byte_ranges import ByteFile, check_counts
from allofus_spark.genotypes.text_columns import RowIndex, index_rows, read_columns

SITES = pa.schema(
    [
        pa.field("contig", pa.string(), nullable=False),
        pa.field("position", pa.int32(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("ref", pa.string(), nullable=False),
        pa.field("alts", pa.list_(pa.string()), nullable=False),
        pa.field("qual", pa.string(), nullable=False),
        pa.field("filter", pa.string(), nullable=False),
    ]
)
"""One row a variant, as written: contig not renamed, position 1-based; id, qual and filter ``.`` where there
are none.

``alts`` has an element for each packed row of the variant; a variant without an alternate has one, ``.`` or
``0``.
"""
_SOURCES = {"contig": "CHROM", "position": "POS", "id": "ID", "ref": "REF", "alts": "ALT"}
_OPTIONAL = {"qual": "QUAL", "filter": "FILTER"}
_BIM = ("CHROM", "ID", "CM", "POS", "ALT", "REF")
_BIM_WITHOUT_CM = ("CHROM", "ID", "POS", "ALT", "REF")


@dataclass(frozen=True)
class SiteFile:
    """An indexed .bim or .pvar; small, and the same for every task. ``columns`` are their names in order."""

    rows: RowIndex
    columns: tuple[str, ...]
    is_bim: bool

    @property
    def n_variants(self) -> int:
        return self.rows.n_rows


def open_sites(file: ByteFile, path: str, n_variants: int | None = None) -> SiteFile:
    """Index the rows of a .bim or .pvar.

    Parameters
    ----------
    n_variants
        Variants of the genotype file where that is known; BadSource where the rows are not as many.
    """
    rows = index_rows(file, path)
    columns = _columns(rows)
    missing = [name for name in _SOURCES.values() if name not in columns]
    if missing:
        raise BadSource(
            f"{path}: has no column {', '.join(missing)} (its columns: {' '.join(columns) or 'none'}): it "
            "is not a .bim or .pvar. A .pvar begins with #CHROM POS ID REF ALT"
        )
    check_counts(path, "variants", rows.n_rows, n_variants, "the genotype file")
    return SiteFile(rows, columns, not rows.header)


def _columns(rows: RowIndex) -> tuple[str, ...]:
    """Names of the columns: of the last header line, else as a .bim has them."""
    if not rows.header:
        return _BIM if rows.n_fields >= len(_BIM) else _BIM_WITHOUT_CM[: rows.n_fields]
    names = rows.header[-1].removeprefix("#").split()
    return tuple(names[: names.index("FORMAT")] if "FORMAT" in names else names)


def read_sites(
    file: ByteFile, sites: SiteFile, start: int = 0, stop: int | None = None, *, a1_is_alt: bool = True
) -> pa.Table:
    """The variants [start, stop) in the columns ``SITES``.

    Parameters
    ----------
    a1_is_alt
        For a .bim alone: whether the first allele column is the alternate (what PLINK 2 writes), else the
        second.

    Raises
    ------
    BadSource
        Where a row has too few fields, a position is not a number of 32 bits, or text is not UTF-8.
    """
    stop = sites.n_variants if stop is None else stop
    if not 0 <= start <= stop <= sites.n_variants:
        raise ValueError(f"variants [{start}, {stop}) of {sites.n_variants}")
    sources = dict(_SOURCES)
    if sites.is_bim and not a1_is_alt:
        sources["ref"], sources["alts"] = sources["alts"], sources["ref"]
    sources |= {name: column for name, column in _OPTIONAL.items() if column in sites.columns}
    places = {sites.columns.index(source): name for name, source in sources.items()}
    ordered = sorted(places)
    text = read_columns(file, sites.rows, [places[place] for place in ordered], ordered, start, stop)
    columns = {name: text[name] for name in sources}
    columns["position"] = _positions(text["position"], sites.rows.path)
    # A .bim has one alternate a row, whatever its text.
    columns["alts"] = pc.split_pattern(text["alts"], "\n" if sites.is_bim else ",")
    absent = pa.chunked_array([pa.repeat(".", text.num_rows)])
    return pa.Table.from_arrays([columns.get(name, absent) for name in SITES.names], schema=SITES)


def _positions(text: pa.ChunkedArray, path: str) -> pa.ChunkedArray:
    try:
        return text.cast(pa.int32())
    except pa.ArrowInvalid as error:
        raise BadSource(
            f"{path}: a position is not a whole number of 32 bits ({error}): the columns are not in the "
            "order that is expected, or the file is damaged"
        ) from None
