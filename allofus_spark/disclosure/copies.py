"""The other forms of a release: what TSV and VCF show must be what the tables show, no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from allofus_spark.disclosure.findings import Finding, Verification
from allofus_spark.disclosure.info import fields_of, info_columns
from allofus_spark.disclosure.rows import BATCH_ROWS, engine, listed, quoted
from allofus_spark.disclosure.whole import reading
from allofus_spark.published import products, table_files

_EXAMPLES = 5  # rows given of each column that differs
_NEAR = 1e-6  # relative: frequencies may be printed to fewer digits
_SEPARATED = "delim = '\t', quote = '', escape = '', compression = 'gzip'"
_SITES = ("contig", "position", "id", "ref", "alt", "qual", "filter", "info")
_VARIANTS = "variants"


@dataclass(frozen=True)
class Copy:
    """A text file beside the table of its product: the product's files, schema and key."""

    path: Path
    product: str
    files: tuple[Path, ...]
    key: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """Columns of the table."""
        return pq.read_schema(self.files[0])

    @property
    def table(self) -> str:
        """The table in SQL."""
        return f"read_parquet({listed(self.files)})"

    def alone(self, what: str, name: str, number: int = 1) -> Finding:
        """Something that the file has and the table has not."""
        return Finding(self.product, self.path.name, what, (name,), number, number, "the table has none")

    def shown(self, row: str, column: str, value: str) -> Finding:
        """A cell that the table has not so."""
        count = round(float(value)) if value.replace(".", "", 1).isdigit() else 1
        how = f"{value} is shown here, and the table withholds it or has another number"
        return Finding(self.product, f"{self.path.name} {row}", column, ("as published",), count, count, how)


def attack_copies(release: Path, groups: Sequence[str], result: Verification) -> None:
    """Add what a TSV or the VCF shows and the table of the product withholds, or shows otherwise."""
    keys = {product.name: product.key for product in products(groups)}
    paths = [*(release / "tsv").glob("*.tsv.gz"), *(release / "vcf").glob("*.vcf.gz")]
    with engine() as connection:
        for path in sorted(paths):
            product = path.name.split(".")[0]
            copy = Copy(path, product, tuple(table_files(release, product)), keys.get(product, ()))
            if not copy.files or not copy.key:
                result.add(copy.alone("a file of its own", product))
                continue
            with reading(path):
                if path.name.endswith(".vcf.gz"):
                    _attack_vcf(connection, copy, groups, result)
                else:
                    _attack_tsv(connection, copy, result)


def _attack_tsv(connection: duckdb.DuckDBPyConnection, copy: Copy, result: Verification) -> None:
    """Columns and rows that only the TSV has, and cells that differ."""
    text = f"read_csv({quoted(copy.path)}, {_SEPARATED}, header = true, all_varchar = true, nullstr = '')"
    there = {row[0] for row in connection.sql(f"DESCRIBE SELECT * FROM {text}").fetchall()}
    for name in sorted(there - set(copy.schema.names)):
        result.add(copy.alone("a column of its own", name))
    on = " AND ".join(f't."{name}" = CAST(p."{name}" AS VARCHAR)' for name in copy.key)
    joined = f"FROM {text} AS t LEFT JOIN {copy.table} AS p ON {on}"
    columns = [
        field.name
        for field in copy.schema
        if field.name in there and field.name not in copy.key and _is_number(field.type)
    ]
    counts = ["count(*)", f'count(*) FILTER (WHERE p."{copy.key[0]}" IS NULL)']
    counts += [f"count(*) FILTER (WHERE {_differs(name)})" for name in columns]
    n_rows, n_alone, *n_different = connection.sql(f"SELECT {', '.join(counts)} {joined}").fetchall()[0]
    result.try_kind(copy.product, "cells of the TSV", n_rows * len(columns))
    if n_alone:
        result.add(copy.alone("rows of its own", "as published", n_alone))
    for name, number in zip(columns, n_different, strict=True):
        if number:
            examples = list(_examples(connection, copy, name, joined))
            result.extend(examples)
            result.count(copy.product, number - len(examples))


def _examples(connection: duckdb.DuckDBPyConnection, copy: Copy, name: str, joined: str) -> Iterator[Finding]:
    row = " || ' ' || ".join(f't."{part}"' for part in copy.key)
    found = f'SELECT {row}, t."{name}" {joined} WHERE {_differs(name)} LIMIT {_EXAMPLES}'
    for key, value in connection.sql(found).fetchall():
        yield copy.shown(key, name, value)


def _differs(name: str) -> str:
    told, held = f'TRY_CAST(t."{name}" AS DOUBLE)', f'CAST(p."{name}" AS DOUBLE)'
    near = f"abs({told} - {held}) <= {_NEAR} * abs({held})"
    return f'(t."{name}" IS NOT NULL AND ({held} IS NULL OR {told} IS NULL OR NOT ({near})))'


def _attack_vcf(
    connection: duckdb.DuckDBPyConnection, copy: Copy, groups: Sequence[str], result: Verification
) -> None:
    """INFO of every record beside its row of variants."""
    names, fields = set(copy.schema.names), fields_of(copy.path, groups)
    for field in sorted(field for field, column in fields.items() if column not in names):
        result.add(copy.alone("an INFO field of its own", field))
    wanted = {field: column for field, column in fields.items() if column in names}
    kinds = ", ".join(f"'{name}': '{'INT' if name == 'position' else 'VARCHAR'}'" for name in _SITES)
    text = (
        f"read_csv({quoted(copy.path)}, {_SEPARATED}, header = false, auto_detect = false, comment = '#', "
        f"columns = {{{kinds}}})"
    )
    columns = ["v.contig || ':' || v.position || ' ' || v.ref || '>' || v.alt AS row", "v.info"]
    columns += [f'p."{name}"' for name in sorted(set(wanted.values()))]
    query = (
        f"SELECT {', '.join(columns)} FROM {text} AS v "
        f"LEFT JOIN {copy.table} AS p USING (contig, position, ref, alt)"
    )
    for batch in connection.sql(query).to_arrow_reader(BATCH_ROWS):
        result.try_kind(_VARIANTS, "cells of the VCF", batch.num_rows * len(wanted))
        for place, column, value in info_columns(batch, wanted, _NEAR):
            result.add(copy.shown(batch.column("row")[place].as_py(), column, value))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
