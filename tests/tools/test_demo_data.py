"""The demo's genotypes: what is kept of the archives, and that the result is the known-good VCF."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import cyvcf2
import numpy as np
import pytest

from tools.cohort_files import Cohort, read_samples
from tools.demo_data import (
    CACHE,
    CALLS_ARCHIVE,
    LABELS_ARCHIVE,
    fetch,
    make_demo_data,
    read_calls,
    read_people,
)

REPOSITORY = Path(__file__).parents[2]


def _calls_archive(path: Path, grch37: str, grch38: str, codes: list[int]) -> Path:
    members = {
        "GRCH37.sites": grch37.encode(),
        "GRCH38.sites": grch38.encode(),
        "GRCH38.sites.bin.gz": gzip.compress(bytes(codes)),
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"peddy-0.4.8/peddy/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_sites_come_in_genome_order_with_their_own_calls(tmp_path: Path) -> None:
    sites = "10:5:A:G\n2:900:C:T\n2:30:G:A\n"
    archive = _calls_archive(tmp_path / "calls.tar.gz", sites, sites, [0, 1, 2, 0, 1, 1])
    found, copies = read_calls(archive, n_people=2)
    assert [(site.contig, site.position) for site in found] == [("chr2", 30), ("chr2", 900), ("chr10", 5)]
    np.testing.assert_array_equal(copies, [[1, 1], [2, 0], [0, 1]])


def test_sites_whose_alleles_differ_between_the_builds_are_left_out(tmp_path: Path) -> None:
    archive = _calls_archive(
        tmp_path / "calls.tar.gz",
        "1:10:A:G\n1:20:T:C\n1:30:G:A\n",
        "1:11:A:G\n1:21:C:T\n1:31:C:A\n",
        [1, 2, 0],
    )
    found, copies = read_calls(archive, n_people=1)
    assert [tuple(site) for site in found] == [("chr1", 11, "A", "G")]
    assert copies.tolist() == [[1]]


def test_an_unknown_call_code_is_an_error_not_a_call(tmp_path: Path) -> None:
    archive = _calls_archive(tmp_path / "calls.tar.gz", "1:10:A:G\n", "1:11:A:G\n", [3])
    with pytest.raises(ValueError, match="3 alt copies"):
        read_calls(archive, n_people=1)


def test_people_keep_their_row_order_and_unknown_sex_is_empty(tmp_path: Path) -> None:
    header = "sample,rs1,population,superpopulation,gender"
    rows = [header, "B,AC,GBR,EUR,male", "A,CC,YRI,AFR,female", "C,CC,CHB,EAS,"]
    with zipfile.ZipFile(tmp_path / "labels.whl", "w") as wheel:
        wheel.writestr("data/aisnps/seldin.1kG.csv", "\n".join(rows) + "\n")
    people = read_people(tmp_path / "labels.whl")
    assert people == [("B", "XY", "eur"), ("A", "XX", "afr"), ("C", "", "eas")]


def test_a_changed_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / CALLS_ARCHIVE.file_name).write_bytes(b"something else")
    with pytest.raises(SystemExit, match=r"peddy-0\.4\.8\.tar\.gz has SHA-256 .*, not 1d998f0e"):
        fetch(CALLS_ARCHIVE, tmp_path)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Made anew from the archives that `make demo` has fetched."""
    folder = tmp_path_factory.mktemp("demo")
    for archive in (CALLS_ARCHIVE, LABELS_ARCHIVE):
        cached = REPOSITORY / CACHE / archive.file_name
        if not cached.exists():
            pytest.skip(f"{archive.file_name} is not in {CACHE}/: run `make demo` once")
        (folder / archive.file_name).symlink_to(cached)
    return make_demo_data(folder)


@pytest.mark.long
def test_the_demo_vcf_equals_the_known_good_one(demo: Cohort, realdata: Path) -> None:
    made = cyvcf2.VCF(str(demo.vcf))
    known = cyvcf2.VCF(str(realdata / "multisample" / "peddy_1kg_2504_exome_sites.grch38.vcf.gz"))
    assert made.samples == known.samples
    n_records = 0
    for ours, theirs in zip(made, known, strict=True):
        assert (ours.CHROM, ours.POS, ours.REF, ours.ALT) == (
            theirs.CHROM,
            theirs.POS,
            theirs.REF,
            theirs.ALT,
        )
        np.testing.assert_array_equal(ours.genotype.array(), theirs.genotype.array())
        n_records += 1
    assert n_records == 23_532


@pytest.mark.long
def test_the_demo_samples_equal_the_published_panel(demo: Cohort, realdata: Path) -> None:
    panel = realdata / "ancestry" / "integrated_call_samples_v3.20130502.ALL.panel.tsv"
    rows = [line.split("\t") for line in panel.read_text().splitlines()[1:]]
    karyotype = {"male": "XY", "female": "XX"}
    published = {name: (karyotype[gender], group.lower()) for name, _, group, gender in rows}
    people = read_samples(demo.samples)
    assert {name: (sex, ancestry) for name, sex, ancestry in people} == published
    sizes = Counter(person.ancestry for person in people)
    assert sizes == {"afr": 661, "eas": 504, "eur": 503, "sas": 489, "amr": 347}
