"""What a query may be: one SELECT over named tables.

The statement is parsed, checked, and written out again from its syntax tree; that text is what Spark gets,
so nothing that was not checked can run.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from allofus_spark.errors import QueryRefused

# Functions that run code or read what is outside the tables.
_REFUSED_FUNCTIONS = frozenset({"reflect", "java_method", "try_reflect"})
_DIALECT = "spark"

# It warns of every command that it does not know; such a command is refused here with a sentence.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Statement:
    """A checked query: the text to run, the tables that it names, and the names that its WITH defines.

    All names are in lower case. A name may be both: ``WITH variants AS (SELECT … FROM variants)``.
    ``written`` are the columns as the query writes them; empty where a star stands for some.
    """

    sql: str
    tables: tuple[str, ...]
    defined: frozenset[str]
    written: tuple[str, ...]


def check_statement(text: str) -> Statement:
    """Raise QueryRefused, saying why, unless ``text`` is one SELECT over named tables."""
    try:
        parsed = sqlglot.parse(text, dialect=_DIALECT)
    except SqlglotError as error:
        raise QueryRefused(f"not a query that can be read: {str(error).splitlines()[0]}") from None
    trees = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(trees) != 1:
        raise QueryRefused(f"give one SELECT statement, not {len(trees)}")
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        first = sqlglot.tokenize(text, dialect=_DIALECT)[0].text.upper()
        verb = tree.key.upper() if first in ("WITH", "FROM") else first
        raise QueryRefused(f"only SELECT is answered, not {verb}; tables are changed by jobs alone")
    _refuse_code(tree)
    tables = tuple(dict.fromkeys(_table_name(table) for table in tree.find_all(exp.Table) if _is_read(table)))
    sql = tree.sql(dialect=_DIALECT, comments=False)
    if "${" in sql:
        raise QueryRefused("${...} stands for settings and variables of the machine and is refused")
    return Statement(sql, tables, _defined_names(tree), _written_columns(tree))


def distinct_headers(names: Sequence[str], written: Sequence[str]) -> list[str]:
    """Names of columns without repetition: one that repeats is called as it is written, else numbered.

    >>> distinct_headers(["id", "af", "af"], ["id", "eas.af", "eur.af"])
    ['id', 'eas.af', 'eur.af']
    >>> distinct_headers(["af", "af"], [])
    ['af', 'af_2']
    """
    count = Counter(names)
    if len(written) == len(names):
        names = [text if count[name] > 1 else name for name, text in zip(names, written, strict=True)]
    headers: list[str] = []
    for name in names:
        header, number = name, 1
        while header in headers or (number > 1 and header in names):
            number += 1
            header = f"{name}_{number}"
        headers.append(header)
    return headers


def _written_columns(tree: exp.Query) -> tuple[str, ...]:
    if any(item.is_star for item in tree.selects):
        return ()
    return tuple(
        item.alias if isinstance(item, exp.Alias) else item.sql(dialect=_DIALECT, comments=False)
        for item in tree.selects
    )


def _refuse_code(tree: exp.Query) -> None:
    for node in tree.walk():
        if isinstance(node, exp.QueryTransform):
            raise QueryRefused("SELECT TRANSFORM runs a program and is refused")
        if isinstance(node, exp.Into | exp.DML | exp.DDL | exp.Command) and not isinstance(node, exp.Query):
            raise QueryRefused(f"{node.key.upper()} is refused; only SELECT is answered")
        name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        if name in _REFUSED_FUNCTIONS:
            raise QueryRefused(f"{name}() runs code and is refused")


def _is_read(table: exp.Table) -> bool:
    """Whether rows come from it; a hint only repeats an alias."""
    return table.find_ancestor(exp.Hint) is None


def _table_name(table: exp.Table) -> str:
    written = table.sql(dialect=_DIALECT)
    if not isinstance(table.this, exp.Identifier):
        raise QueryRefused(f"{written}: table functions are refused; name a table")
    if table.args.get("db") or table.args.get("catalog"):
        raise QueryRefused(
            f"{written}: paths and other catalogs are refused; name a table of the warehouse "
            "(allofus status lists them)"
        )
    return table.name.lower()


def _defined_names(tree: exp.Query) -> frozenset[str]:
    """Names that WITH clauses define.

    A WITH inside a subquery is moved to the top when the statement is written out, where its name could hide
    a table or another definition: it must be a name of its own.
    """
    definitions = list(tree.find_all(exp.CTE))
    names = Counter(item.alias_or_name.lower() for item in definitions)
    for item in definitions:
        owner = item.parent.parent if item.parent is not None else None
        if owner is None or owner is tree:
            continue
        name = item.alias_or_name.lower()
        seen_by = {id(table) for table in owner.find_all(exp.Table)}
        seen_by -= {id(table) for table in item.find_all(exp.Table)}  # there it means the table itself
        uses = [table for table in tree.find_all(exp.Table) if table.name.lower() == name]
        if names[name] > 1 or any(id(table) not in seen_by for table in uses):
            raise QueryRefused(f"{name} has two meanings in this query; give the WITH inside another name")
    return frozenset(names)
