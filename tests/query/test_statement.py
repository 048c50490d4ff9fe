"""Which texts are one SELECT over named tables, and what is said about the others."""

from __future__ import annotations

import pytest

from allofus_spark.errors import QueryRefused
from allofus_spark.query import check_statement

ALLOWED = {
    "SELECT 1": (),
    "SELECT * FROM variants;": ("variants",),
    "SELECT 1; -- done": (),
    "-- a comment\nSELECT * FROM variants -- another": ("variants",),
    "(SELECT * FROM variants)": ("variants",),
    "SELECT * FROM Variants": ("variants",),
    "SELECT * FROM variants v JOIN genotypes g USING (contig, position, ref, alt)": ("variants", "genotypes"),
    "SELECT /*+ BROADCAST(v), COALESCE(2) */ * FROM variants v": ("variants",),
    "SELECT * FROM variants WHERE position IN (SELECT position FROM genotypes)": ("variants", "genotypes"),
    "SELECT (SELECT max(qual) FROM variant_sites) FROM variants": ("variant_sites", "variants"),
    "SELECT * FROM variants UNION ALL SELECT * FROM variants": ("variants",),
    "SELECT contig FROM variants EXCEPT SELECT contig FROM genotypes": ("variants", "genotypes"),
    "SELECT explode(het_index) FROM genotypes": ("genotypes",),
    "SELECT * FROM variant_sites LATERAL VIEW explode(filters) f AS name": ("variant_sites",),
    "SELECT transform(het_index, x -> x + 1) FROM genotypes": ("genotypes",),
    "SELECT eas.af, overall.* FROM allele_frequencies WHERE eas.af > 0.9": ("allele_frequencies",),
    "SELECT contig, count(*) FROM variants GROUP BY contig WITH ROLLUP": ("variants",),
    "SELECT * FROM VALUES (1), (2) AS t(a)": (),
}


@pytest.mark.parametrize("text", ALLOWED)
def test_a_select_over_named_tables_is_allowed(text: str) -> None:
    statement = check_statement(text)
    assert set(statement.tables) == set(ALLOWED[text])
    assert statement.defined == frozenset()


def test_names_of_a_with_are_not_tables_unless_it_reads_the_table_of_its_name() -> None:
    statement = check_statement("WITH V AS (SELECT * FROM variants) SELECT * FROM v")
    assert set(statement.tables) - statement.defined == {"variants"}
    text = "WITH variants AS (SELECT * FROM variants WHERE contig = 'chr1') SELECT * FROM variants"
    own = check_statement(text)
    assert (own.tables, own.defined) == (("variants",), frozenset({"variants"}))


PATHS = ["delta.`/x`", "csv.`/etc/passwd`", "text.`/etc/passwd`", "`parquet`.`/x`", "default.variants"]
PATHS += ["spark_catalog.default.variants", "global_temp.x"]
AROUND = [
    "SELECT * FROM {}",
    "SELECT * FROM variants JOIN {} t ON true",
    "SELECT * FROM variants WHERE 1 IN (SELECT 1 FROM {})",
    "SELECT (SELECT max(value) FROM {})",
    "WITH a AS (SELECT * FROM {}) SELECT * FROM a",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM {}))",
    "SELECT 1 UNION SELECT * FROM {}",
    "SELECT * FROM variants, LATERAL (SELECT * FROM {})",
    "SELECT * FROM variants WHERE EXISTS (SELECT 1 FROM {})",
    "SELECT * FROM variants ORDER BY (SELECT max(value) FROM {})",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("path", PATHS)
def test_paths_and_other_catalogs_are_refused_wherever_they_stand(path: str, around: str) -> None:
    with pytest.raises(QueryRefused, match="paths and other catalogs are refused; name a table"):
        check_statement(around.format(path))


CODE = [
    "reflect('java.lang.System', 'exit', 1)",
    "REFLECT('a', 'b')",
    "`reflect`('a', 'b')",
    "java_method('a', 'b')",
    "try_reflect('a', 'b')",
    "system.builtin.reflect('a', 'b')",
    "upper(concat('x', java_method('a', 'b')))",
]


@pytest.mark.parametrize(
    "around",
    [
        "SELECT {}",
        "SELECT * FROM variants WHERE {} = 1",
        "WITH a AS (SELECT {}) SELECT * FROM a",
        "SELECT * FROM (SELECT {} FROM variants)",
        "SELECT * FROM variants LATERAL VIEW explode(array({})) x AS y",
        "SELECT * FROM variants ORDER BY {}",
        "SELECT sum(position) OVER (PARTITION BY {}) FROM variants",
        "SELECT transform(het_index, x -> {}) FROM genotypes",
        "SELECT * FROM VALUES ({}) AS t(a)",
        "SELECT count(*) FROM variants GROUP BY contig HAVING {} > 1",
    ],
)
@pytest.mark.parametrize("call", CODE)
def test_functions_that_run_code_are_refused_wherever_they_stand(call: str, around: str) -> None:
    with pytest.raises(QueryRefused, match=r"\(\) runs code and is refused"):
        check_statement(around.format(call))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DROP TABLE variants", "only SELECT is answered, not DROP; tables are changed by jobs alone"),
        ("INSERT INTO variants SELECT * FROM variants", "not INSERT"),
        ("INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT 1", "not INSERT"),
        ("WITH a AS (SELECT 1) INSERT INTO x SELECT * FROM a", "not INSERT"),
        ("CREATE TABLE x AS SELECT 1", "not CREATE"),
        ("CREATE OR REPLACE TEMPORARY VIEW x AS SELECT 1", "not CREATE"),
        ("UPDATE variants SET position = 1", "not UPDATE"),
        ("DELETE FROM variants", "not DELETE"),
        ("MERGE INTO variants USING x ON true WHEN MATCHED THEN DELETE", "not MERGE"),
        ("ALTER TABLE variants ADD COLUMN x INT", "not ALTER"),
        ("TRUNCATE TABLE variants", "not TRUNCATE"),
        ("SET spark.sql.ansi.enabled=false", "not SET"),
        ("RESET", "not RESET"),
        ("USE x", "not USE"),
        ("SHOW TABLES", "not SHOW"),
        ("DESCRIBE variants", "not DESCRIBE"),
        ("EXPLAIN SELECT 1", "not EXPLAIN"),
        ("TABLE variants", "not TABLE"),
        ("CACHE TABLE variants", "not CACHE"),
        ("ADD JAR '/x.jar'", "not ADD JAR"),
        ("VACUUM variants", "not VACUUM"),
        ("OPTIMIZE variants", "not OPTIMIZE"),
        ("LOAD DATA INPATH '/x' INTO TABLE t", "not LOAD"),
        ("SELECT 1; DROP TABLE variants", "give one SELECT statement, not 2"),
        ("SELECT 1; SELECT 2", "give one SELECT statement, not 2"),
        ("", "give one SELECT statement, not 0"),
        (" ; ", "give one SELECT statement, not 0"),
        ("-- nothing", "give one SELECT statement, not 0"),
        ("SELECT * FROM range(10)", "table functions are refused; name a table"),
        ("SELECT * FROM explode(array(1))", "table functions are refused"),
        ("SELECT * FROM read_files('/etc')", "table functions are refused"),
        ("SELECT * FROM IDENTIFIER('text.`/etc/passwd`')", "table functions are refused"),
        ("SELECT TRANSFORM(contig) USING 'cat' FROM variants", "TRANSFORM runs a program"),
        (
            "SELECT * FROM (SELECT TRANSFORM(contig) USING 'cat' FROM variants)",
            "TRANSFORM runs a program",
        ),
        (
            "WITH a AS (SELECT TRANSFORM(x) USING 'cat' AS (y) FROM t) SELECT 1",
            "TRANSFORM runs a program",
        ),
        ("FROM variants MAP contig USING 'cat'", "not a query that can be read"),
        ("FROM variants INSERT INTO x SELECT *", "only SELECT is answered"),
        ("SELECT 1 INTO x", "INTO is refused"),
        ("SELECT '${env:PATH}'", r"\$\{\.\.\.\} stands for settings"),
        ("SELECT * FROM variants WHERE contig = '${spark.app.id}'", r"\$\{\.\.\.\} stands for settings"),
        ("SELEC 1", "not a query that can be read|only SELECT is answered"),
        ("SELECT * FROM", "not a query that can be read"),
        ("SELECT 'open", "not a query that can be read"),
    ],
)
def test_everything_else_is_refused_with_a_sentence(text: str, message: str) -> None:
    with pytest.raises(QueryRefused, match=message):
        check_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM (WITH samples AS (SELECT 1 AS x) SELECT * FROM samples) s JOIN samples",
        "SELECT * FROM (WITH b AS (SELECT 1) SELECT * FROM b), (WITH b AS (SELECT 2) SELECT * FROM b)",
        "WITH b AS (SELECT 1) SELECT * FROM (WITH b AS (SELECT 2) SELECT * FROM b) t",
        "SELECT * FROM (WITH samples AS (SELECT * FROM samples) SELECT * FROM samples) s",
    ],
)
def test_a_with_inside_may_not_hide_another_name(text: str) -> None:
    with pytest.raises(QueryRefused, match="two meanings in this query; give the WITH inside another"):
        check_statement(text)
