"""Maps of known associations: what is read of them, what is refused, and how alleles are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.errors import AllofusError, BadSource
from allofus_spark.genome import ReferenceSequence, load_build
from allofus_spark.replication.ingest import known_rows
from allofus_spark.replication.map_files import read_map
from tests.replication.maps import write_frequencies, write_map

GRCH38 = load_build("GRCh38")


def test_phenotypes_are_text_and_ancestries_lower_case(tmp_path: Path):
    lines = [{"phecode": "008"}, {"phecode": "250.20", "ancestry": "EAS"}, {"phecode": "1e3"}]
    found = read_map(write_map(tmp_path / "map.csv", lines), GRCH38).associations
    assert [known.phenotype_id for known in found] == ["008", "250.20", "1e3"]
    assert [known.ancestry for known in found] == ["eur", "eas", "eur"]


@pytest.mark.parametrize(("build", "position"), [("GRCh38", 1000), ("GRCh37", 2000)])
def test_the_key_is_that_of_the_build(tmp_path: Path, build: str, position: int):
    path = write_map(tmp_path / "map.csv", [{"SNP_hg38": "1:1000:A:G", "SNP_hg19": "1:2000:A:G"}])
    (known,) = read_map(path, load_build(build)).associations
    assert (known.contig, known.position) == ("chr1" if build == "GRCh38" else "1", position)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"assoc_ID": ""}, "no_id"),
        ({"assoc_ID": "kept"}, "repeated_id"),
        ({"phecode": "NA"}, "no_phenotype"),
        ({"ancestry": ""}, "no_ancestry"),
        ({"SNP_hg38": "6 32600569:G:A"}, "bad_variant_key"),
        ({"SNP_hg38": "6:32600569:G"}, "bad_variant_key"),
        ({"SNP_hg38": "6:32600569:G:G"}, "bad_variant_key"),
        ({"SNP_hg38": "6:32600569:G:<DEL>"}, "bad_variant_key"),
        ({"SNP_hg38": "6:0:G:A"}, "bad_variant_key"),
        ({"SNP_hg38": "77:100:G:A"}, "unknown_contig"),
        ({"SNP_hg38": "21:200000000:G:A"}, "unknown_contig"),
        ({"SNP_hg38": "NC_000001.10:100:G:A"}, "unknown_contig"),
        ({"risk_allele_dir": "G"}, "bad_direction"),
        ({"cat_OR": "high"}, "bad_odds_ratio"),
        ({"cat_L95": "0"}, "bad_odds_ratio"),
        ({"cat_U95": "inf"}, "bad_odds_ratio"),
        ({"cat_OR": "0.8"}, "protective"),
    ],
)
def test_a_line_that_cannot_be_used_is_kept_with_the_reason(tmp_path: Path, line, reason: str):
    found = read_map(write_map(tmp_path / "map.csv", [{"assoc_ID": "kept"}, line]), GRCH38)
    assert [known.association_id for known in found.associations] == ["kept"]
    (refused,) = found.refused
    assert (refused.line, refused.reason) == (3, reason)
    assert "Type 2 diabetes" in refused.text


def test_columns_that_are_missing_are_named(tmp_path: Path):
    path = write_map(tmp_path / "map.csv", [{}], without=["phecode", "cat_L95", "rsID"])
    with pytest.raises(
        AllofusError, match="no column for phecode, cat_L95; the file has: assoc_ID, SNP_hg19"
    ):
        read_map(path, GRCH38)


def test_columns_that_only_tell_more_may_be_missing(tmp_path: Path):
    more = ["rsID", "risk_allele", "phecode_string", "cat_LOG10_P", "Study_accession", "category_string"]
    path = write_map(tmp_path / "map.csv", [{}], without=[*more, "pubmedid", "SNP_hg19"])
    (known,) = read_map(path, GRCH38).associations
    assert (known.rsid, known.category, known.neg_log10_p, known.pubmed_id) == (None,) * 4


def test_a_column_may_have_another_name(tmp_path: Path):
    path = write_map(tmp_path / "map.csv", [{}])
    path.write_text(path.read_text().replace(",phecode,", ",code,"))
    (known,) = read_map(path, GRCH38, columns={"phecode": "code"}).associations
    assert known.phenotype_id == "250.2"


def test_a_custom_build_has_no_column(tmp_path: Path):
    (tmp_path / "small.fa.fai").write_text("chr1\t1000\t6\t60\t61\n")
    build = load_build(str(tmp_path / "small.fa.fai"))
    with pytest.raises(BadSource, match="maps name variants of GRCh37, GRCh38, the warehouse is of small"):
        read_map(write_map(tmp_path / "map.csv", [{}]), build)


@pytest.mark.parametrize("key", ["SNP_hg19", "SNP_hg38"])
def test_frequencies_are_found_by_the_key_of_either_build(tmp_path: Path, key: str):
    path = write_map(tmp_path / "map.csv", [{key: "1:5000:A:G"}, {key: "1:6000:A:G"}])
    frequencies = write_frequencies(tmp_path / "af.csv", {"1:5000:A:G": {"eur": 0.25, "afr": 0}}, key)
    found = read_map(path, GRCH38, frequencies=frequencies)
    assert [dict(known.alt_frequencies) for known in found.associations] == [{"eur": 0.25, "afr": 0.0}, {}]
    assert set(found.ancestries) == {"eur", "afr"}


def test_a_frequency_that_is_none_is_an_error(tmp_path: Path):
    frequencies = write_frequencies(tmp_path / "af.csv", {"1:1000:A:G": {"eur": 1.2}})
    with pytest.raises(BadSource, match=r"line 2: '1.2' is no frequency from 0 to 1"):
        read_map(write_map(tmp_path / "map.csv", [{}]), GRCH38, frequencies=frequencies)


def test_indels_are_written_as_those_of_callsets(tmp_path: Path):
    """An insertion in a repeat, as two maps may have it: trimmed without a FASTA, moved left with one."""
    fasta = tmp_path / "small.fa"
    sequence = "GATTACAGCACACACATTG" + "A" * 41
    fasta.write_text(f">chr1\n{sequence}\n")
    (tmp_path / "small.fa.fai").write_text(
        f"chr1\t{len(sequence)}\t6\t{len(sequence)}\t{len(sequence) + 1}\n"
    )
    keys = ["1:15:C:CAC", "1:8:GCACAC:GCACACAC"]
    lines = [{"SNP_hg38": key, "risk_allele_dir": "ref"} for key in keys]
    associations = read_map(write_map(tmp_path / "map.csv", lines), GRCH38).associations
    trimmed = [row[3:6] for row in known_rows(associations, None, 10)]
    assert trimmed == [(15, "C", "CAC"), (8, "G", "GCA")]
    reference = ReferenceSequence(str(fasta), load_build(str(fasta)))
    rows = known_rows(associations, reference, 10)
    assert {row[2:6] for row in rows} == {(0, 8, "G", "GCA")}
    assert {row[12] for row in rows} == {"ref"}


def test_the_reference_map_is_read_whole(realdata: Path):
    """5,879 lines, of which one has a key that is malformed on GRCh38 alone."""
    folder = realdata / "pheno_pgrm"
    maps = {
        build: read_map(folder / "PGRM_ALL.csv", load_build(build), frequencies=folder / "PGRM_AF.csv")
        for build in ("GRCh37", "GRCh38")
    }
    assert {build: len(found.associations) for build, found in maps.items()} == {
        "GRCh37": 5879,
        "GRCh38": 5878,
    }
    (refused,) = maps["GRCh38"].refused
    assert (refused.association_id, refused.variant) == ("27972", "6 32600569:G:A")
    assert refused.reason == "bad_variant_key"
    of_38 = maps["GRCh38"].associations
    assert {"008", "250.2", "079.1"} <= {known.phenotype_id for known in of_38}
    assert {len(known.alt_frequencies) for known in of_38} == {6}
    # The risk allele's letter is that of GRCh37, which is of the other strand at five keys of GRCh38.
    letter = [known.alt if known.risk_allele_dir == "alt" else known.ref for known in of_38]
    other = [known for known, base in zip(of_38, letter, strict=True) if base != known.risk_allele]
    assert len(other) == 5
