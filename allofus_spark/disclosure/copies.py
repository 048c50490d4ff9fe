"""The other forms of a release: what TSV and VCF show must be what the tables show, no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from allofus_spark.disclosure.findings import Finding, Verification
from allofus_spark.disclosure.info import fields_of, info_columns
from allofus_spark.disclosure.rows import BATCH_ROWS, engine
from allofus_spark.published import products, table_files

_EXAMPLES = 5  # rows given of each column that differs
_NEAR = 1e-6  # relative: frequencies are printed to some digits


def attack_copies(release: Path, groups: Sequence[str], result: Verification) -> None:
    """Add what a TSV or the VCF shows and the table of the product withholds, or shows otherwise."""
    contracts = {product.name: product.key for product in products(groups)}
    with engine() as connection:
        for path in sorted((release / "tsv").glob("*.tsv.gz")):
            name = path.name.removesuffix(".tsv.gz")
            files = table_files(release, name)
            if files and name in contracts:
                _attack_tsv(connection, path, files, name, contracts[name], result)
        for path in sorted((release / "vcf").glob("*.vcf.gz")):
            if table_files(release, "variants"):
                _attack_vcf(connection, path, table_files(release, "variants"), groups, result)


def _attack_tsv(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    files: Sequence[Path],
    product: str,
    key: Sequence[str],
    result: Verification,
) -> None:
    schema = pq.read_schema(files[0])
    columns = [field.name for field in schema if field.name not in key and _is_number(field.type)]
    text = f"read_csv({_quoted(str(path))}, delim = '\t', header = true, all_varchar = true, quote = '', compression = 'gzip', nullstr = '')"
    there = {row[0] for row in connection.sql(f"DESCRIBE SELECT * FROM {text}").fetchall()}
    for name in sorted(there - set(schema.names)):
        result.add(Finding(product, path.name, "a column of its own", (name,), 1, 1, "only the TSV has it"))
    columns = [name for name in columns if name in there]
    on = " AND ".join(f't."{name}" = CAST(p."{name}" AS VARCHAR)' for name in key)
    joined = f"FROM {text} AS t LEFT JOIN read_parquet({[str(file) for file in files]}) AS p ON {on}"
    lost = connection.sql(f'SELECT count(*) {joined} WHERE p."{key[0]}" IS NULL').fetchall()[0][0]
    if lost:
        result.add(
            Finding(
                product, path.name, "rows of its own", ("as published",), lost, lost, "only the TSV has them"
            )
        )
    result.try_kind(
        product, "cells of the TSV", len(columns) * sum(pq.read_metadata(file).num_rows for file in files)
    )
    rows = " || ' ' || ".join(f't."{name}"' for name in key)
    for name, count in _different(connection, columns, joined):
        examples = connection.sql(
            f'SELECT {rows}, t."{name}" {joined} WHERE {_differs(name)} LIMIT {_EXAMPLES}'
        ).fetchall()
        result.n_derived += count - len(examples)
        for row, value in examples:
            result.add(_shown(product, f"{path.name} {row}", name, value))


def _different(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], joined: str
) -> Iterator[tuple[str, int]]:
    """Columns with cells that the table shows otherwise, and their number."""
    if not columns:
        return
    counts = ", ".join(f"count(*) FILTER (WHERE {_differs(name)})" for name in columns)
    for name, count in zip(columns, connection.sql(f"SELECT {counts} {joined}").fetchall()[0], strict=True):
        if count:
            yield name, count


def _differs(name: str) -> str:
    told, held = f'TRY_CAST(t."{name}" AS DOUBLE)', f'CAST(p."{name}" AS DOUBLE)'
    near = f"abs({told} - {held}) <= {_NEAR} * abs({held})"
    return f'(t."{name}" IS NOT NULL AND ({held} IS NULL OR {told} IS NULL OR NOT ({near})))'


def _attack_vcf(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    files: Sequence[Path],
    groups: Sequence[str],
    result: Verification,
) -> None:
    """INFO of every record beside its row of variants."""
    names = set(pq.read_schema(files[0]).names)
    fields = fields_of(path, groups)
    for field, column in sorted(fields.items()):
        if column not in names:
            result.add(
                Finding(
                    "variants", path.name, "an INFO field of its own", (field,), 1, 1, "only the VCF has it"
                )
            )
    wanted = {field: column for field, column in fields.items() if column in names}
    text = (
        f"read_csv({_quoted(str(path))}, delim = '\t', header = false, auto_detect = false, comment = '#', quote = '', escape = '', compression = 'gzip', "
        "columns = {'contig': 'VARCHAR', 'position': 'INT', 'id': 'VARCHAR', 'ref': 'VARCHAR', 'alt': 'VARCHAR', "
        "'qual': 'VARCHAR', 'filter': 'VARCHAR', 'info': 'VARCHAR'})"
    )
    columns = ", ".join(f'p."{name}"' for name in sorted(set(wanted.values())))
    reader = connection.sql(
        f"SELECT v.contig || ':' || v.position || ' ' || v.ref || '>' || v.alt AS row, v.info{', ' if columns else ''}{columns} "
        f"FROM {text} AS v LEFT JOIN read_parquet({[str(file) for file in files]}) AS p USING (contig, position, ref, alt)"
    ).to_arrow_reader(BATCH_ROWS)
    for batch in reader:
        result.try_kind("variants", "cells of the VCF", batch.num_rows * len(wanted))
        for place, column, value in info_columns(batch, wanted, _NEAR):
            result.add(_shown("variants", f"{path.name} {batch.column('row')[place].as_py()}", column, value))


def _shown(product: str, row: str, column: str, value: str) -> Finding:
    """A cell of a copy that the table has not so."""
    count = round(float(value)) if value.replace(".", "", 1).isdigit() else 1
    how = f"{value} is shown here, and the table withholds it or has another number"
    return Finding(product, row, column, ("as published",), count, count, how)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
