"""Pages and the JSON beside them hold what the release's Parquet files hold, and say what is withheld."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from allofus_spark.browser import create_app, prepare
from allofus_spark.pages import frequency
from allofus_spark.settings import BrowserSettings
from benchmarks.synthetic import write_release
from tests.browser.asking import Answer, ask

Row = dict[str, Any]
Rows = Callable[[str], list[Row]]
WITHHELD = "withheld: fewer than 21 people, or would tell of fewer"


def records(answer: Answer) -> list[Row]:
    sets = answer.json["response"]["resultSets"]
    return sets[0]["results"] if sets else []


def ids(answer: Answer) -> list[str]:
    return [record["variantInternalId"] for record in records(answer)]


def every_page(app: Starlette, address: str) -> list[str]:
    """Ids of the variants of a list, page after page."""
    found: list[str] = []
    start: int | None = 0
    join = "&" if "?" in address else "?"
    while start is not None:
        answer = ask(app, f"{address}{join}start={start}")
        assert answer.status == 200
        page = ids(answer)
        assert len(page) <= 10
        found += page
        start = answer.json.get("info", {}).get("nextStart")
    return found


def test_each_number_of_a_variant_is_on_its_page_or_said_to_be_withheld(app: Starlette, rows: Rows) -> None:
    seen = {"withheld": 0, "shown": 0}
    for variant in rows("variants")[::400]:
        text = unescape(ask(app, f"/variant/{variant['variant_id']}").text)
        assert text.count(WITHHELD) == len(variant["withheld"])
        table = text.split("faf95</th>")[1].split("</table>")[0]
        for group in ("all", "afr", "amr", "eas", "eur", "mid", "sas", "oth"):
            ac, an, af = (variant[f"{group}_{name}"] for name in ("ac", "an", "af"))
            assert f'<td class="n">{an:,}</td>' in table
            if group in variant["withheld"]:
                assert ac is None
                seen["withheld"] += 1
            else:
                assert f'<td class="n">{frequency(af)}</td><td class="n">{ac:,}</td>' in table
                seen["shown"] += 1
    assert min(seen.values()) > 50


def test_a_variant_as_json(app: Starlette, rows: Rows) -> None:
    consequences = rows("consequences")
    for variant in rows("variants")[::300]:
        (record,) = records(ask(app, f"/variant/{variant['variant_id']}.json"))
        shown = {
            item["population"]: item
            for item in record.get("frequencyInPopulations", [{"frequencies": []}])[0]["frequencies"]
        }
        for group in ("all", "afr", "mid"):
            assert (group in shown) == (variant[f"{group}_af"] is not None)
            if group in shown:
                assert shown[group]["alleleFrequency"] == variant[f"{group}_af"]
                assert shown[group]["alleleCount"] == variant[f"{group}_ac"]
                assert shown[group].get("alleleCountHomozygous") == variant[f"{group}_n_hom"]
        assert record["info"]["withheld"] == variant["withheld"]
        own = [item for item in consequences if item["variant_id"] == variant["variant_id"]]
        assert [item["transcript_id"] for item in record["info"]["consequences"]] == [
            item["transcript_id"] for item in own
        ]


def test_associations_of_a_variant_are_all_there_strongest_first(app: Starlette, rows: Rows) -> None:
    name = rows("associations")[1_000]["variant_id"]
    (record,) = records(ask(app, f"/variant/{name}.json"))
    found = [
        (item["phenotype_id"], item["ancestry"], item["neg_log10_p"])
        for item in record["info"]["associations"]
    ]
    expected = [
        (row["phenotype_id"], row.get("ancestry", "meta"), row["neg_log10_p"])
        for product in ("associations", "meta_associations")
        for row in rows(product)
        if row["variant_id"] == name
    ]
    assert sorted(found) == sorted(expected)
    assert [item[2] for item in found] == sorted((item[2] for item in found), reverse=True)
    assert "Type 2 diabetes" in ask(app, f"/variant/{name}").text


def test_an_rs_number_shows_its_variant(app: Starlette, rows: Rows) -> None:
    named = next(row for row in rows("variants")[500:] if row["rsids"])
    (record,) = records(ask(app, f"/rs/{named['rsids'][0]}.json"))
    assert record["variantInternalId"] == named["variant_id"]
    page = ask(app, f"/rs/{named['rsids'][0]}")
    assert f'rel="canonical" href="/variant/{named["variant_id"]}"' in page.text
    assert ask(app, "/rs/rs1").status == 404


def test_a_region_lists_every_variant_in_it_page_by_page(app: Starlette, rows: Rows) -> None:
    expected = [
        row["variant_id"]
        for row in rows("variants")
        if row["contig"] == "chr3" and 1_000_000 <= row["position"] <= 10_000_000
    ]
    assert len(expected) > 30
    address = "/region/3:1000000-10000000.json"
    assert every_page(app, address) == expected
    assert ask(app, address).json["responseSummary"]["numTotalResults"] == len(expected)
    assert f"<dd>{len(expected)}</dd>" in ask(app, "/region/3:1000000-10000000").text


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("novelty=unreported", "novelty", "unreported"),
        ("consequence=stop_gained", "consequence", "stop_gained"),
        ("impact=HIGH", "impact", "HIGH"),
    ],
)
def test_filters_leave_what_fits_and_lose_nothing(
    app: Starlette, rows: Rows, query: str, name: str, value: str
) -> None:
    expected = [
        row["variant_id"]
        for row in rows("variants")
        if row["contig"] == "chr1" and row["position"] <= 10_000_000 and row[name] == value
    ]
    assert every_page(app, f"/region/1:1-10000000.json?{query}") == expected


def test_a_gene_lists_the_variants_with_a_consequence_in_it(app: Starlette, rows: Rows) -> None:
    gene = max(rows("genes"), key=lambda row: row["n_variants"])
    expected = list(
        dict.fromkeys(
            row["variant_id"] for row in rows("consequences") if row["gene_symbol"] == gene["gene_symbol"]
        )
    )
    assert len(expected) == gene["n_variants"] > 3
    for name in (gene["gene_symbol"], gene["gene_symbol"].lower(), gene["gene_id"]):
        assert every_page(app, f"/gene/{name}.json") == expected
    missense = [
        row["variant_id"]
        for row in rows("consequences")
        if row["gene_symbol"] == gene["gene_symbol"] and "missense_variant" in row["terms"]
    ]
    found = every_page(app, f"/gene/{gene['gene_symbol']}.json?consequence=missense_variant")
    assert found == list(dict.fromkeys(missense))


def test_search_leads_to_the_page(app: Starlette, rows: Rows) -> None:
    variant, gene = rows("variants")[7], rows("genes")[3]
    for asked, address in (
        (variant["variant_id"], f"/variant/{variant['variant_id']}"),
        (gene["gene_symbol"].lower(), f"/gene/{gene['gene_symbol']}"),
        ("RS123", "/rs/rs123"),
        ("chr22:20,000-30,000", "/region/chr22:20000-30000"),
        ("250.2", "/phenotype/250.2"),
    ):
        answer = ask(app, "/search?q=" + asked.replace(",", "%2C"))
        assert (answer.status, answer.headers["location"]) == (303, address)


def test_phenotypes_say_what_is_withheld(app: Starlette, rows: Rows) -> None:
    text = ask(app, "/phenotype/495").text
    assert text.count(WITHHELD) == sum(
        row["is_withheld"] for row in rows("phenotypes") if row["phenotype_id"] == "495"
    )
    answer = ask(app, "/phenotype/ldl_cholesterol.json").json
    strongest = max(
        row["neg_log10_p"] for row in rows("meta_associations") if row["phenotype_id"] == "ldl_cholesterol"
    )
    assert answer["associations"][0]["neg_log10_p"] == strongest
    assert {item["phenotype_id"] for item in ask(app, "/phenotypes.json").json["phenotypes"]} == {
        "250.2",
        "401.1",
        "495",
        "ldl_cholesterol",
    }


def test_downloads_are_the_files_that_the_manifest_lists_and_no_others(
    tmp_path: Path, settings: BrowserSettings
) -> None:
    release, stray = tmp_path / "v8", ("notes.txt", "tsv/others.tsv.gz", "vcf/others.vcf.gz")
    manifest = write_release(release, n_variants=100)
    for name in stray:
        (release / name).parent.mkdir(exist_ok=True)
        (release / name).write_text("not of the release")
    prepare(release, tmp_path / "index", settings)
    app = create_app(release, tmp_path / "index", settings)
    sums = {file.path: file.sha256 for product in manifest.products for file in product.files}
    assert len(sums) > len(manifest.products)
    assert ask(app, "/data.json").json["files"].keys() == {"manifest.json", *sums}
    for name, sha256 in sums.items():
        assert hashlib.sha256(ask(app, f"/files/{name}").body).hexdigest() == sha256
    assert {ask(app, f"/files/{name}").status for name in stray} == {404}


def test_files_that_go_while_pages_are_served_are_not_found(
    tmp_path: Path, settings: BrowserSettings
) -> None:
    release = tmp_path / "v8"
    write_release(release, n_variants=100)
    prepare(release, tmp_path / "index", settings)
    app = create_app(release, tmp_path / "index", settings)
    gone, swapped = sorted(ask(app, "/data.json").json["files"])[-2:]
    (release / gone).unlink()
    (release / swapped).unlink()
    (release / swapped).symlink_to("/etc/passwd")
    assert {ask(app, f"/files/{name}").status for name in (gone, swapped)} == {404}
    assert not {gone, swapped} & ask(app, "/data.json").json["files"].keys()
    assert ask(app, "/report").status == 404  # none was written


def test_no_address_is_redirected_to_a_host_that_the_request_names(app: Starlette) -> None:
    assert ask(app, "/phenotypes/").status == 404


def test_a_phenotype_is_shown_with_its_set(app: Starlette, rows: Rows) -> None:
    """A set's name may say that its phenotypes are simulated."""
    assert "<h1>Asthma (synthetic)</h1>" in ask(app, "/phenotype/495").text
    assert ask(app, "/phenotypes").text.count("<td>synthetic</td>") == 4
    associated = rows("associations")[0]["variant_id"]
    assert "Asthma</a> (synthetic)" in ask(app, f"/variant/{associated}").text


def test_every_page_has_its_policy_and_no_script(app: Starlette, rows: Rows) -> None:
    variant, gene = rows("variants")[7]["variant_id"], rows("genes")[3]["gene_symbol"]
    addresses = [
        "/",
        f"/variant/{variant}",
        f"/gene/{gene}",
        "/region/1:1-9000000",
        "/phenotypes",
        "/phenotype/495",
    ]
    for address in [*addresses, "/data", "/report", "/nowhere"]:
        answer = ask(app, address)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert 'lang="en"' in answer.text
    assert "unsafe" not in ask(app, "/").headers["content-security-policy"]
