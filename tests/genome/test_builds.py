"""Builds: lengths, spellings, wrong builds, pseudoautosomal edges."""

from __future__ import annotations

import json
import pickle
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from allofus_spark.errors import BadSource, BuildMismatch
from allofus_spark.genome import DIPLOID, MITOCHONDRIAL, X_NONPAR, Y_NONPAR, load_build

GRCH37_CHR1 = 249_250_621
GRCH38_CHR1 = 248_956_422


@pytest.mark.parametrize("name", ["GRCh37", "GRCh38"])
def test_lengths_and_par_are_those_of_hail(name: str) -> None:
    hail = find_spec("hail")
    assert hail is not None
    assert hail.origin is not None
    with ZipFile(Path(hail.origin).parent / "backend" / "hail-all-spark.jar") as archive:
        known = json.loads(archive.read(f"reference/{name.lower()}.json"))
    lengths = {contig["name"]: contig["length"] for contig in known["contigs"]}
    build = load_build(name)
    assert len(build.contig_lengths) == 25
    assert build.contig_lengths == {contig: lengths[contig] for contig in build.contig_lengths}
    # Hail's intervals leave their end out.
    intervals = [
        (i["start"]["contig"], i["start"]["position"], i["end"]["position"] - 1) for i in known["par"]
    ]
    assert sorted(build.par) == sorted(intervals)


@pytest.mark.parametrize(
    ("name", "accession", "contig"),
    [
        ("GRCh37", "NC_000001.10", "1"),
        ("GRCh37", "NC_000007.13", "7"),
        ("GRCh37", "NC_000024.9", "Y"),
        ("GRCh37", "NC_012920.1", "MT"),
        ("GRCh38", "NC_000001.11", "chr1"),
        ("GRCh38", "NC_000014.9", "chr14"),
        ("GRCh38", "nc_000023.11", "chrX"),
        ("GRCh38", "NC_012920.1", "chrM"),
    ],
)
def test_accessions(name: str, accession: str, contig: str) -> None:
    assert load_build(name).canonical_contig(accession) == contig


@pytest.mark.parametrize(
    ("contig", "spellings"),
    [
        ("1", "chr1 1 Chr1 CHR1 01 chr01"),
        ("22", "chr22 22 CHR22"),
        ("X", "chrX X x chrx 23 chr23 25 XY chrXY PAR1 PAR2 0X"),
        ("Y", "chrY Y y 24"),
        ("MT", "chrM M MT chrMT m mt Mt 26"),
    ],
)
def test_spellings(contig: str, spellings: str) -> None:
    on_38 = {"MT": "chrM"}.get(contig, f"chr{contig}")
    for spelling in spellings.split():
        assert load_build("GRCh37").canonical_contig(spelling) == contig
        assert load_build("GRCh38").canonical_contig(spelling) == on_38


@pytest.mark.parametrize(
    "contig",
    [
        "chrUn_KI270302v1",
        "chr1_KI270706v1_random",
        "chrX_KI270880v1_alt",
        "HLA-A*01:01:01:01",
        "hs37d5",
        "0",
        "27",
    ],
)
def test_other_contigs_stay_as_spelled(contig: str) -> None:
    for name in ("GRCh37", "GRCh38"):
        assert load_build(name).canonical_contig(contig) == contig


def test_accession_of_another_build_is_refused() -> None:
    with pytest.raises(BuildMismatch, match=r"NC_000001\.11 is chr1 of GRCh38, .* GRCh37"):
        load_build("GRCh37").canonical_contig("NC_000001.11")
    with pytest.raises(BuildMismatch, match=r"NC_060925\.1 is chr1 of T2T-CHM13v2\.0"):
        load_build("GRCh38").canonical_contig("NC_060925.1")
    with pytest.raises(BuildMismatch, match="NC_000007 is an accession without a version"):
        load_build("GRCh38").canonical_contig("NC_000007")


def test_build_names() -> None:
    for name in ("GRCh38", "hg38", "GRCH38", "HG38"):
        assert load_build(name) is load_build("GRCh38")
    for name in ("hg19", "b37", "B37", "grch37"):
        assert load_build(name) is load_build("GRCh37")
    with pytest.raises(BuildMismatch, match=r"'grch39' is not known; did you mean GRCh38\?"):
        load_build("grch39")


def test_build_can_be_pickled() -> None:
    build = load_build("GRCh38")
    build.canonical_contig("1")
    assert pickle.loads(pickle.dumps(build)) == build


def test_length_of_another_build_names_it() -> None:
    build = load_build("GRCh38")
    declared = {"chr1": GRCH37_CHR1, "chr2": 7, "chr3": None, "chrUn_x": 5}
    with pytest.raises(
        BuildMismatch, match=f"a.vcf: contig chr1 has {GRCH37_CHR1} bases, as in GRCh37, but"
    ) as error:
        build.check_contig_lengths(declared, where="a.vcf")
    assert "2 of 4 contigs differ (chr1, chr2)" in str(error.value)
    # A partial contig is a matter of FASTA only, and never one that has another assembly's length.
    with pytest.raises(BuildMismatch, match="247249719 bases, as in NCBI36"):
        build.check_contig_lengths({"1": 247_249_719}, where="a.fa", allow_partial=True)
    with pytest.raises(BuildMismatch, match="50000000 bases, but 50818468"):
        build.check_contig_lengths({"22": 50_000_000}, where="a.vcf")
    with pytest.raises(BuildMismatch, match=r"a\.vcf: contig NC_000001\.10 is 1 of GRCh37"):
        build.check_contig_lengths({"NC_000001.10": None}, where="a.vcf")


def test_right_and_partial_lengths_are_accepted() -> None:
    build = load_build("GRCh38")
    assert build.check_contig_lengths({"1": GRCH38_CHR1, "chrM": 16569, "2": None}, where="a.vcf") == []
    assert build.check_contig_lengths({}, where="a.vcf") == []
    (warning,) = build.check_contig_lengths({"22": 50_000_000}, where="a.fa", allow_partial=True)
    assert "50000000 of the 50818468 bases" in warning
    with pytest.raises(BuildMismatch, match="50818469"):
        build.check_contig_lengths({"22": 50_818_469}, where="a.fa", allow_partial=True)
    (warning,) = build.check_contig_lengths({"A1": 5, "B2": None}, where="a.vcf")
    assert "none of its 2 contigs (A1, B2) is one of build GRCh38" in warning


def test_old_mitochondrion_of_hg19_is_not_mt() -> None:
    declared = {"chr1": GRCH37_CHR1, "chrM": 16571, "chrMT": 16569}
    build = load_build("hg19")
    assert build.contig_renames(declared) == {"chrM": "NC_001807"}
    assert build.contig_renames({"chrM": 16569, "M": None}) == {}
    (warning,) = build.check_contig_lengths(declared, where="hg19.vcf")
    assert "contig chrM of 16571 bases is not the mitochondrion of GRCh37" in warning
    assert build.canonical_contig("NC_001807.4") == "NC_001807"
    assert build.ploidy_regions("NC_001807", np.array([1])).tolist() == [MITOCHONDRIAL]
    with pytest.raises(BuildMismatch, match="16571 bases, as in UCSC hg18 and hg19, but 16569 on GRCh38"):
        load_build("GRCh38").check_contig_lengths({"chrM": 16571}, where="a.vcf")


@pytest.mark.parametrize("name", ["GRCh37", "GRCh38"])
def test_ploidy_at_the_edges_of_every_par(name: str) -> None:
    build = load_build(name)
    assert len(build.par) == 4
    for contig, first, last in build.par:
        outside = X_NONPAR if contig.endswith("X") else Y_NONPAR
        positions = np.array([first - 1, first, last, last + 1])
        regions = build.ploidy_regions(contig, positions)
        assert regions.dtype == np.int8
        assert regions.tolist() == [outside, DIPLOID, DIPLOID, outside]


def test_ploidy_of_other_contigs() -> None:
    build = load_build("GRCh38")
    one = np.array([1_000_000])
    assert build.ploidy_regions("7", one).tolist() == [DIPLOID]
    assert build.ploidy_regions("MT", one).tolist() == [MITOCHONDRIAL]
    assert build.ploidy_regions("chrUn_KI270302v1", one).tolist() == [DIPLOID]
    # PLINK's code for the pseudoautosomal part of X.
    assert build.ploidy_regions("25", one).tolist() == [DIPLOID]
    assert build.ploidy_regions("X", np.empty(0, dtype=np.int64)).tolist() == []


def write_index(path: Path, **lengths: int) -> Path:
    path.write_text("".join(f"{contig}\t{length}\t6\t60\t61\n" for contig, length in lengths.items()))
    return path


def test_custom_build_from_an_index(tmp_path: Path) -> None:
    index = write_index(tmp_path / "ref.fa.fai", chrT=93, chr23=10, chrX=5000)
    (tmp_path / "ref.fa").touch()
    for path in (index, tmp_path / "ref.fa"):
        build = load_build(str(path))
        assert (build.name, build.contig_lengths) == ("ref", {"chrT": 93, "chr23": 10, "chrX": 5000})
    assert build.canonical_contig("T") == "chrT"
    assert build.canonical_contig("23") == "chr23"
    assert build.canonical_contig("24") == "24"
    assert build.canonical_contig("NC_000001.11") == "NC_000001.11"
    assert build.ploidy_regions("X", np.array([10])).tolist() == [X_NONPAR]
    with pytest.raises(BuildMismatch, match="contig T has 92 bases, but 93 on ref"):
        build.check_contig_lengths({"T": 92}, where="a.vcf")


def test_custom_builds_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="there is no such file"):
        load_build(str(tmp_path / "none.fa"))
    (tmp_path / "bare.fa").touch()
    with pytest.raises(BadSource, match=r"samtools faidx .*bare\.fa"):
        load_build(str(tmp_path / "bare.fa"))
    with pytest.raises(BuildMismatch, match="is a FASTA of GRCh38: give GRCh38"):
        load_build(str(write_index(tmp_path / "whole.fai", X=156_040_895)))
    with pytest.raises(BuildMismatch, match="cannot be called hg38"):
        load_build(str(write_index(tmp_path / "hg38.fa.gz.fai", chrT=5)))
    with pytest.raises(BadSource, match="1 and chr1 are two spellings"):
        load_build(str(write_index(tmp_path / "twice.fa.fai", **{"1": 5, "chr1": 6})))
    (tmp_path / "odd.fai").write_text("chr1\tlong\n")
    with pytest.raises(BadSource, match=r"odd\.fai, line 1"):
        load_build(str(tmp_path / "odd.fai"))
    (tmp_path / "empty.fai").touch()
    with pytest.raises(BadSource, match="lists no contig"):
        load_build(str(tmp_path / "empty.fai"))
