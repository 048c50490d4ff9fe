"""``allofus verify-release``: what it prints, its status, and that it starts no JVM."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from allofus_spark.cli import main
from tests.disclosure.folders import describe, sizes, variant, whole

GOOD = {
    "groups": sizes(afr=200, eas=500, eur=1000, unlabelled=0, all=1700),
    "variants": [variant(afr=(100, 400), eas=(600, 1000), eur=(900, 2000), all=(1600, 3400))],
}
BAD = GOOD | {"variants": [variant(afr=(None, 400), eas=(600, 1000), eur=(900, 2000), all=(1512, 3400))]}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify-release", *arguments])


def test_a_good_release_ends_with_0(tmp_path: Path) -> None:
    result = run(str(whole(tmp_path / "v1", GOOD)))
    assert result.exit_code == 0, result.output
    assert "Nothing of 1 to 20 people was derived" in result.output
    assert "counts of people in a cell" in result.output


def test_a_bad_release_ends_with_1_and_says_how(tmp_path: Path) -> None:
    result = run(str(whole(tmp_path / "v1", BAD)))
    assert result.exit_code == 1
    said = "variants chr1:100 A>G: 6 to 12 carriers in afr: by the total of all in v1"
    assert said in result.output
    assert "not to be published" in result.output


def test_a_version_of_a_warehouse_as_json(tmp_path: Path) -> None:
    whole(tmp_path / "public" / "releases" / "v1", BAD)
    result = run("--version", "v1", "--warehouse", str(tmp_path), "--json")
    read = json.loads(result.output)
    assert (result.exit_code, read["release"], read["floor"]) == (1, "v1", 20)
    assert read["derived"][0]["how"] == "by the total of all in v1"


def test_earlier_releases_are_those_of_the_manifest(tmp_path: Path) -> None:
    whole(tmp_path / "v1", {"groups": sizes(afr=200, all=200)})
    whole(tmp_path / "v2", {"groups": sizes(afr=207, all=207)}, previous=["v1"])
    result = run(str(tmp_path / "v2"))
    assert result.exit_code == 1
    assert (
        "groups v2: 7 participants more or fewer in afr: as the difference between v1 and v2" in result.output
    )


def test_a_release_before_that_is_not_whole(tmp_path: Path) -> None:
    whole(tmp_path / "v1", {"groups": sizes(afr=200, all=200)})
    whole(tmp_path / "v2", {"groups": sizes(afr=200, all=200)}, previous=["v1"])
    assert run(str(tmp_path / "v2")).exit_code == 0
    shutil.rmtree(tmp_path / "v1" / "tables")
    result = run(str(tmp_path / "v2"))
    assert (result.exit_code, result.output.count("v1 is not the release that its")) == (2, 1)


def test_another_floor(tmp_path: Path) -> None:
    folder = str(whole(tmp_path / "v1", BAD))
    assert run(folder, "--floor", "5").exit_code == 0
    assert run(folder, "--floor", "12").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such/folder"], "is no release: it has no manifest.json"),
        ([], "give the FOLDER of a release, or its --version"),
        (["--version", "v1", "--warehouse", "s3://bucket/warehouse"], "no local or mounted folder"),
    ],
)
def test_what_is_no_release(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def again(path: Path) -> None:
    """A part a second time, under another name."""
    shutil.copy(path / "tables/variants/part-00000.parquet", path / "tables/variants/part-00001.parquet")


def linked(path: Path) -> None:
    """The tables lie elsewhere."""
    (path / "tables").rename(path.parent / "elsewhere")
    (path / "tables").symlink_to(path.parent / "elsewhere")


def nested(path: Path) -> None:
    """A part in a folder of its own, listed."""
    (path / "tables/variants/more").mkdir()
    shutil.copy(path / "tables/variants/part-00000.parquet", path / "tables/variants/more/part-0.parquet")
    describe(path)


def people(path: Path) -> None:
    """A table of people, listed."""
    (path / "tables/people").mkdir()
    pq.write_table(pa.table({"sample_id": ["1"]}), path / "tables/people/part-00000.parquet")
    describe(path)


def wider(path: Path) -> None:
    """A column more, listed."""
    file = path / "tables/variants/part-00000.parquet"
    table = pq.read_table(file)
    pq.write_table(table.append_column("carriers", pa.array([3] * len(table))), file)
    describe(path)


def narrower(path: Path) -> None:
    """A column less, listed."""
    file = path / "tables/groups/part-00000.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["n_participants"]), file)
    describe(path)


def other_bytes(path: Path) -> None:
    """As many bytes, one of them another."""
    file = path / "tables/groups/part-00000.parquet"
    held = bytearray(file.read_bytes())
    held[20] ^= 1
    file.write_bytes(held)


def outside(path: Path) -> None:
    """A file of the manifest outside the folder."""
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["products"][0]["files"][0]["path"] = "../../etc/passwd"
    (path / "manifest.json").write_text(json.dumps(manifest))


def fewer_rows(path: Path) -> None:
    """The manifest counts another number of rows."""
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["products"][1]["rows"] = 7
    (path / "manifest.json").write_text(json.dumps(manifest))


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "no tables": (lambda path: shutil.rmtree(path / "tables"), "part-00000.parquet is not there"),
    "a part again": (again, "tables/variants/part-00001.parquet is not listed"),
    "a part in a folder": (nested, "'tables/variants/more/part-0.parquet' is no place of a file of variants"),
    "tables are a link": (linked, "tables is a link"),
    "a link to nothing": (lambda path: (path / "tsv").symlink_to("nothing"), "tsv is a link"),
    "other bytes": (other_bytes, "tables/groups/part-00000.parquet has another SHA-256"),
    "more bytes": (
        lambda path: (path / "tables/groups/part-00000.parquet").open("ab").write(b"x"),
        "tables/groups/part-00000.parquet has",
    ),
    "a file outside": (outside, "'../../etc/passwd' is no place of a file of groups"),
    "other rows": (fewer_rows, "variants has 1 rows, not 7"),
    "a release before that lies elsewhere": (
        lambda path: describe(path, previous=[".."]),
        "'..' is no name of a release",
    ),
    "no product": (lambda path: describe(path, products=[]), "no product is listed"),
    "a table of people": (people, "people is no product of a release"),
    "a file of people": (lambda path: (path / "people.csv").write_text("1"), "people.csv is not listed"),
    "a column more": (wider, "tables/variants/part-00000.parquet is with carriers"),
    "a column less": (narrower, "tables/groups/part-00000.parquet is without n_participants"),
    "other groups": (
        lambda path: describe(path, groups=["afr", "eur"]),
        "is with eas_ac, eas_af, eas_an, eas_faf95, eas_n_hom",
    ),
    "text for Parquet": (
        lambda path: (path / "tables/groups/part-00000.parquet").write_text("no Parquet at all"),
        "tables/groups/part-00000.parquet is no Parquet file",
    ),
    "an empty file": (
        lambda path: (path / "tables/groups/part-00000.parquet").write_bytes(b""),
        "tables/groups/part-00000.parquet is no Parquet file",
    ),
    "a manifest nested too deep": (
        lambda path: (path / "manifest.json").write_text("[" * 100000),
        "cannot be read as the manifest of a release",
    ),
    "a floor of 0": (lambda path: describe(path, floor=0), "greater than or equal to 1"),
    "rounded to few": (lambda path: describe(path, round_to=20), "must be at least twice the floor 20"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_folder_that_is_not_what_its_manifest_describes(tmp_path: Path, name: str) -> None:
    spoil, said = SPOILT[name]
    folder = whole(tmp_path / "releases" / "v1", GOOD)
    assert run(str(folder)).exit_code == 0
    spoil(folder)
    result = run(str(folder))
    assert (result.exit_code, type(result.exception)) == (2, SystemExit), result.output
    assert said in result.output
    assert result.output.startswith("error: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tsv/variants.tsv.gz", b"no gzip"),
        ("tsv/variants.tsv.gz", gzip.compress(b"contig\tposition\nchr1\t1\n")),
        ("tsv/variants.tsv.gz", gzip.compress(b"\xff\xfe\t\x00\n" * 50)[:-9]),
        ("vcf/variants.vcf.gz", b"no gzip"),
        ("vcf/variants.vcf.gz", b""),
        ("vcf/variants.vcf.gz", gzip.compress(b"##fileformat=VCFv4.3\n##INFO=<ID=AC>\n" * 99)[:-9]),
        ("vcf/variants.vcf.gz", gzip.compress(b"##INFO=<ID=AC>\nchr1\tx\ty\n")),
        ("vcf/variants.vcf.gz", gzip.compress(b"##INFO=<ID=AC>\nchr1\t100\t.\tA\tG\t.\t.\tAC=many\n")),
    ],
    ids=[
        "tsv",
        "tsv narrow",
        "tsv cut",
        "vcf",
        "vcf empty",
        "vcf cut",
        "vcf of other columns",
        "vcf of words",
    ],
)
def test_a_text_that_cannot_be_read_is_named_in_one_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    folder = whole(tmp_path / "v1", GOOD)
    (folder / name).parent.mkdir()
    (folder / name).write_bytes(content)
    result = run(str(describe(folder)))
    assert (result.exit_code, type(result.exception)) == (2, SystemExit), result.output
    assert Path(name).name in result.output
    assert result.output.count("\n") == 1


def test_counts_of_exempt_products_are_said(tmp_path: Path) -> None:
    folder = whole(tmp_path / "v1", BAD)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["products"][1]["policy"] = "exempt"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    result = run(str(folder))
    assert result.exit_code == 0
    assert re.search(r"^[1-9]\d* counts of exempt products$", result.output, re.MULTILINE)
    assert "counts of exempt products" not in run(str(whole(tmp_path / "good", GOOD))).output


def test_no_jvm_is_started(tmp_path: Path) -> None:
    folder = whole(tmp_path / "v1", GOOD)
    code = (
        "import sys; from pathlib import Path; from allofus_spark.disclosure import verify_release; "
        f"verify_release(Path({str(folder)!r})); from pyspark import SparkContext; "
        "sys.exit(SparkContext._gateway is not None)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
