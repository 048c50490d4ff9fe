"""What a query may be: one SELECT over named tables.

The statement is parsed, checked, and written out again from its syntax tree; that text is what Spark gets,
so nothing that was not checked can run.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from allofus_spark.errors import QueryRefused

# Functions that run code or read what is outside the tables.
_REFUSED_FUNCTIONS = frozenset({"reflect", "java_method", "try_reflect"})


@dataclass(frozen=True)
class Statement:
    """A checked query: the text to run, and the tables that it names."""

    sql: str
    tables: tuple[str, ...]


def check_statement(text: str) -> Statement:
    """Raise QueryRefused, saying why, unless ``text`` is one SELECT over named tables."""
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="spark") if tree is not None]
    except SqlglotError as error:
        raise QueryRefused(f"not a query that can be read: {str(error).splitlines()[0]}") from None
    if len(trees) != 1:
        raise QueryRefused(f"give one SELECT statement, not {len(trees)}")
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        raise QueryRefused(
            f"only SELECT is answered, not {tree.key.upper()}; tables are changed by jobs alone"
        )
    _refuse_code(tree)
    local = {item.alias_or_name for item in tree.find_all(exp.CTE)}
    tables: dict[str, None] = {}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise QueryRefused(f"{table.sql(dialect='spark')}: table functions are refused; name a table")
        if table.args.get("db") or table.args.get("catalog"):
            raise QueryRefused(
                f"{table.sql(dialect='spark')}: paths and other catalogs are refused; name a table of the "
                "warehouse (allofus status lists them)"
            )
        if table.name not in local:
            tables[table.name] = None
    return Statement(tree.sql(dialect="spark"), tuple(tables))


def _refuse_code(tree: exp.Expression) -> None:
    for node in tree.walk():
        if isinstance(node, exp.QueryTransform):
            raise QueryRefused("SELECT TRANSFORM runs a program and is refused")
        if isinstance(node, exp.Into | exp.DML | exp.DDL | exp.Command) and not isinstance(node, exp.Query):
            raise QueryRefused(f"{node.key.upper()} is refused; only SELECT is answered")
        name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        if name in _REFUSED_FUNCTIONS:
            raise QueryRefused(f"{name}() runs code and is refused")
