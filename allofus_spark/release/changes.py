"""CHANGES.md: a release against the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from allofus_spark.published import ALL, UNLABELLED, Manifest, table_files
from allofus_spark.release.folder import PastRelease

_KEY = "contig, position, ref, alt"


@dataclass(frozen=True)
class VariantChanges:
    """Numbers of variants; cells are by column."""

    added: int
    gone: int
    newly_shown: Mapping[str, int]
    newly_withheld: Mapping[str, int]
    novelty: Mapping[tuple[str, str], int]


def write_changes(folder: Path, manifest: Manifest, before: PastRelease | None, memory_limit: str) -> Path:
    """Write CHANGES.md, from what the two releases show and nothing else."""
    lines = [f"# Release {manifest.release}", ""]
    if before is None:
        lines += ["The first release."]
    else:
        columns = [f"{group}_ac" for group in (ALL, *manifest.groups)]
        changes = compare_variants(folder, before.folder, columns, memory_limit)
        lines += [f"Against release {before.name}.", ""]
        lines += [*_participants(folder, before), "", *_variants(changes), "", *_products(manifest, before)]
    path = folder / "CHANGES.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def sizes_of(release: Path) -> dict[str, int | None]:
    """Participants by group as a release shows them; None: withheld."""
    files = [str(path) for path in table_files(release, "groups")]
    with duckdb.connect() as database:
        rows = database.execute("SELECT ancestry, n_participants FROM read_parquet(?)", [files]).fetchall()
    return dict(rows)


def compare_variants(now: Path, then: Path, columns: Sequence[str], memory_limit: str) -> VariantChanges:
    """Variants of two releases side by side; ``columns`` are those whose cells may be withheld.

    The join is DuckDB's, which spills beside the release what does not fit in ``memory_limit``.
    """
    with duckdb.connect(
        config={"memory_limit": memory_limit, "temp_directory": str(now / ".duckdb")}
    ) as database:
        for name, release in (("now", now), ("past", then)):
            files = ", ".join(_quoted(path) for path in table_files(release, "variants"))
            database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{files}])")
        counts = ["count(*) FILTER (p.ref IS NULL)", "count(*) FILTER (n.ref IS NULL)"]
        both = "n.ref IS NOT NULL AND p.ref IS NOT NULL"
        for column in columns:
            counts += [
                f"count(*) FILTER ({both} AND n.{column} IS NOT NULL AND p.{column} IS NULL)",
                f"count(*) FILTER ({both} AND n.{column} IS NULL AND p.{column} IS NOT NULL)",
            ]
        joined = f"FROM now n FULL JOIN past p USING ({_KEY})"
        row = database.execute(f"SELECT {', '.join(counts)} {joined}").fetchone()
        moved = database.execute(
            "SELECT coalesce(p.novelty, 'never judged'), coalesce(n.novelty, 'never judged'), count(*) "
            f"{joined} "
            f"WHERE {both} AND n.novelty IS DISTINCT FROM p.novelty GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    added, gone, *cells = row or ()
    return VariantChanges(
        added,
        gone,
        dict(zip(columns, cells[::2], strict=True)),
        dict(zip(columns, cells[1::2], strict=True)),
        {(before, after): n for before, after, n in moved},
    )


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _participants(folder: Path, before: PastRelease) -> list[str]:
    now, then = sizes_of(folder), sizes_of(before.folder)
    lines = ["## Participants", "", "| group | before | now |", "|---|---:|---:|"]
    order = [ALL, *sorted(set(now) | set(then) - {ALL, UNLABELLED}, key=str)]
    rows = [f"| {name} | {_count(then.get(name))} | {_count(now.get(name))} |" for name in order]
    return [*lines, *dict.fromkeys(rows)]


def _count(number: int | None) -> str:
    return "withheld" if number is None else f"{number:,}"


def _variants(changes: VariantChanges) -> list[str]:
    lines = [
        "## Variants",
        "",
        f"- {changes.added:,} added, {changes.gone:,} gone",
        "",
        "| allele counts | newly shown | newly withheld |",
        "|---|---:|---:|",
    ]
    for column, shown in changes.newly_shown.items():
        lines.append(f"| {column.removesuffix('_ac')} | {shown:,} | {changes.newly_withheld[column]:,} |")
    lines += ["", "## Novelty", ""]
    lines += [f"- {before} → {after}: {n:,}" for (before, after), n in changes.novelty.items()]
    return lines if changes.novelty else [*lines, "No variant of both releases was reclassified."]


def _products(manifest: Manifest, before: PastRelease) -> list[str]:
    then = {product.name: product.rows for product in before.manifest.products}
    now = {product.name: product.rows for product in manifest.products}
    lines = ["## Products", "", "| product | rows before | rows now |", "|---|---:|---:|"]
    for name in dict.fromkeys((*now, *then)):
        rows = (then.get(name), now.get(name))
        cells = ["not released" if number is None else f"{number:,}" for number in rows]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return lines
