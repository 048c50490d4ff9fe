"""Answers in the shape of GA4GH Beacon v2: coordinates, granularities, paging, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.browser.asking import ask

Row = dict[str, Any]
Rows = Callable[[str], list[Row]]


def allele_query(row: Row) -> str:
    return (
        f"referenceName={row['contig']}&start={row['position'] - 1}&referenceBases={row['ref']}"
        f"&alternateBases={row['alt']}"
    )


def test_an_allele_is_found_at_its_0_based_start(app: Starlette, rows: Rows) -> None:
    row = next(row for row in rows("variants") if row["gene_symbol"] and row["rsids"])
    answer = ask(app, f"/beacon/g_variants?{allele_query(row)}").json
    assert answer["responseSummary"] == {"exists": True, "numTotalResults": 1}
    (result,) = answer["response"]["resultSets"]
    assert (result["id"], result["setType"], result["exists"], result["resultsCount"]) == (
        "v8",
        "dataset",
        True,
        1,
    )
    (record,) = result["results"]
    interval = record["variation"]["location"]["interval"]
    assert (interval["start"]["value"], interval["end"]["value"]) == (row["position"] - 1, row["position"])
    assert record["variation"]["variantType"] == "SNP"
    assert record["molecularAttributes"]["geneIds"] == [row["gene_symbol"]]
    assert record["identifiers"]["variantAlternativeIds"][0]["id"] == f"dbSNP:{row['rsids'][0]}"
    assert record["molecularAttributes"]["molecularEffects"][0]["id"].startswith("SO:000")
    for name in (
        "beaconId",
        "apiVersion",
        "returnedSchemas",
        "returnedGranularity",
        "receivedRequestSummary",
    ):
        assert name in answer["meta"]
    single = ask(app, f"/beacon/g_variants/{row['variant_id']}").json
    assert single["response"]["resultSets"][0]["results"] == [record]


def test_an_allele_that_is_not_there_does_not_exist(app: Starlette, rows: Rows) -> None:
    row = rows("variants")[10]
    other = next(base for base in "ACGT" if base not in (row["ref"], row["alt"]))
    answer = ask(app, f"/beacon/g_variants?{allele_query(row | {'alt': other})}").json
    assert answer["responseSummary"] == {"exists": False, "numTotalResults": 0}
    assert answer["response"]["resultSets"] == []


def test_granularities(app: Starlette, rows: Rows) -> None:
    query = allele_query(rows("variants")[10])
    count = ask(app, f"/beacon/g_variants?{query}&requestedGranularity=count").json
    assert count["responseSummary"] == {"exists": True, "numTotalResults": 1}
    assert "response" not in count
    boolean = ask(app, f"/beacon/g_variants?{query}&requestedGranularity=boolean").json
    assert boolean["responseSummary"] == {"exists": True}


def test_a_range_is_paged_by_skip_and_limit(app: Starlette, rows: Rows) -> None:
    inside = [
        r["variant_id"]
        for r in rows("variants")
        if r["contig"] == "chr5" and 2_000_000 < r["position"] <= 9_000_000
    ]
    found: list[str] = []
    while len(found) < len(inside):
        address = f"/beacon/g_variants?referenceName=5&start=2000000&end=9000000&skip={len(found)}&limit=7"
        answer = ask(app, address).json
        assert answer["responseSummary"]["numTotalResults"] == len(inside)
        page = [record["variantInternalId"] for record in answer["response"]["resultSets"][0]["results"]]
        assert 0 < len(page) <= 7
        found += page
    assert found == inside


def test_a_gene_and_an_alternate_base(app: Starlette, rows: Rows) -> None:
    gene = max(rows("genes"), key=lambda row: row["n_variants"])
    ids = {row["variant_id"] for row in rows("consequences") if row["gene_symbol"] == gene["gene_symbol"]}
    expected = sorted(name for name in ids if name.endswith("-T"))
    answer = ask(app, f"/beacon/g_variants?geneId={gene['gene_symbol']}&alternateBases=T").json
    found = [record["variantInternalId"] for record in answer["response"]["resultSets"][0]["results"]]
    assert sorted(found) == expected[:10]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "Give geneId"),
        ("referenceName=22", "Give geneId"),
        ("referenceName=22&start=-5&referenceBases=A&alternateBases=G", "no whole number"),
        ("referenceName=22&start=5", "needs referenceBases and alternateBases"),
        ("referenceName=22&start=5,9&end=10,12", "Bracket queries"),
        ("referenceName=99&start=5&end=10", "no contig"),
        ("referenceName=22&start=10&end=5", "before its start"),
        ("referenceName=22&start=1&end=50000000", "at most 10,000,000"),
        ("referenceName=22&start=5&end=10&assemblyId=GRCh37", "GRCh38 only"),
        ("referenceName=22&start=5&end=10&limit=x", "no whole number"),
        ("geneId=EDAR&aminoacidChange=V600E", "does not take the parameter aminoacidChange"),
        ("geneId=EDAR&requestedGranularity=all", "requestedGranularity is one of"),
    ],
)
def test_what_is_not_answered_says_why(app: Starlette, query: str, sentence: str) -> None:
    answer = ask(app, f"/beacon/g_variants?{query}")
    assert answer.status == 400
    assert answer.json["error"]["errorCode"] == 400
    assert sentence in answer.json["error"]["errorMessage"]


@pytest.mark.parametrize(
    "path", ["/beacon", "/beacon/", "/beacon/info", "/beacon/map", "/beacon/service-info"]
)
def test_what_this_beacon_is(app: Starlette, path: str) -> None:
    answer = ask(app, path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert "org.allofus-spark.browser" in answer.text
