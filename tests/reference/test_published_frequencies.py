"""Frequencies by ancestry against those that the 1000 Genomes Project published in the same files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from allofus_spark.frequencies import write_subset_frequencies

from .conftest import Cohort
from .engine import KEY, Frequencies
from .plain_alleles import Key, is_sequence, plain_key
from .vcf_text import Site, read_sites

pytestmark = pytest.mark.long


POPULATIONS = ("AFR", "AMR", "EAS", "EUR", "SAS")
# The engine's group and the ending of INFO's names for it.
ENDINGS = [("overall", ""), *((name.lower(), f"_{name}") for name in POPULATIONS)]
# An allele's key, its 0-based place in ALT, and its record.
Published = list[tuple[Key, int, Site]]


def published_alleles(files: Sequence[Path], build: str) -> Published:
    return [
        (plain_key(site.chrom, site.position, site.ref, alt, build), place, site)
        for path in files
        for site in read_sites(path)
        for place, alt in enumerate(site.alts)
    ]


@pytest.fixture(scope="module")
def published_38(high_coverage: Cohort) -> Published:
    return published_alleles(high_coverage.files, "GRCh38")


@pytest.fixture(scope="module")
def published_37(phase_3: Cohort) -> Published:
    """Alleles of the two files that carry frequencies."""
    return published_alleles([path for path in phase_3.files if "1kg_p3_2504" in path.name], "GRCh37")


def numbers(published: Published, name: str) -> npt.NDArray[np.int64]:
    """INFO of records with one ALT."""
    return np.array([int(site.info[name]) for _, _, site in published])


def test_every_count_of_3202_samples(published_38: Published, high_coverage_frequencies: Frequencies) -> None:
    engine = high_coverage_frequencies
    rows = engine.places([key for key, _, _ in published_38])
    # 15,511 records of the 13 genes, and 889 from the beginning of chromosome 1.
    assert len(published_38) == len(set(rows)) == len(engine.keys) == 15_511 + 889
    assert max(place for _, place, _ in published_38) == 0
    for group, ending in ENDINGS:
        ac, an, n_hom, sc = (engine.values(group, field)[rows] for field in ("ac", "an", "n_hom", "sc"))
        # AC_Hom and AC_Het count alleles: two a homozygote, one a heterozygote.
        for name, values in (("AC", ac), ("AN", an), ("AC_Hom", 2 * n_hom), ("AC_Het", sc - n_hom)):
            wanted = numbers(published_38, name + ending)
            np.testing.assert_array_equal(values, wanted, err_msg=name + ending)


def test_counts_of_the_2504_unrelated_among_them(
    high_coverage: Cohort, published_38: Published, realdata: Path, tmp_path: Path
) -> None:
    panel = realdata / "ancestry" / "integrated_call_samples_v3.20130502.ALL.panel.tsv"
    unrelated = [line.split("\t")[0] for line in panel.read_text().splitlines()[1:]]
    file = tmp_path / "unrelated.parquet"
    write_subset_frequencies(high_coverage.warehouse, unrelated, file=str(file))
    found = pq.read_table(file)
    place = {key: row for row, key in enumerate(zip(*(found[name].to_pylist() for name in KEY), strict=True))}
    rows = [place[key] for key, _, _ in published_38]
    for name in POPULATIONS:
        group = found[name.lower()].combine_chunks()
        ac, an, n_hom = (group.field(field).to_numpy()[rows] for field in ("ac", "an", "n_hom"))
        for field, values in (("AC", ac), ("AN", an), ("AC_Hom", 2 * n_hom)):
            wanted = numbers(published_38, f"{field}_{name}_unrel")
            np.testing.assert_array_equal(values, wanted, err_msg=f"{field}_{name}_unrel")


def test_phase_3_alleles_are_of_all_kinds(published_37: Published) -> None:
    records = {(site.chrom, site.position, site.ref, *site.alts) for _, _, site in published_37}
    assert len(records) == 4_296 + 6_109
    assert sum(len(record) > 4 for record in records) == 28
    symbolic = sorted(key[3] for key, _, _ in published_37 if not is_sequence(key[3]))
    assert symbolic == ["<CN0>", "<CN0>", "<CN2>", "<CN3>", "<CN4>", "<INS:ME:SVA>"]


def published_text(published: Published, name: str) -> list[str]:
    """INFO of each allele as written."""
    return [site.info[name].split(",")[place] for _, place, site in published]


def test_every_frequency_of_phase_3(published_37: Published, phase_3_frequencies: Frequencies) -> None:
    engine = phase_3_frequencies
    rows = engine.places([key for key, _, _ in published_37])
    overall = [f"{af:.6g}" for af in engine.values("overall", "af")[rows]]
    assert overall == published_text(published_37, "AF")
    np.testing.assert_array_equal(
        engine.values("overall", "ac")[rows], np.array(published_text(published_37, "AC"), np.int64)
    )
    for name in POPULATIONS:
        rounded = [float(f"{af:.4f}") for af in engine.values(name.lower(), "af")[rows]]
        assert rounded == [float(text) for text in published_text(published_37, f"{name}_AF")], name


@pytest.mark.parametrize("cohort", ["high_coverage_frequencies", "phase_3_frequencies"])
def test_invariants(cohort: str, request: pytest.FixtureRequest) -> None:
    engine: Frequencies = request.getfixturevalue(cohort)
    value: Callable[..., npt.NDArray[np.generic]] = engine.values
    groups = ("afr", "amr", "eas", "eur", "mid", "sas", "oth")
    for field in ("ac", "an", "n_hom", "n_hemi", "sc"):
        total = sum(value(group, field) for group in groups)
        np.testing.assert_array_equal(value("overall", field), total, err_msg=field)
    af = np.array([value(group, "af") for group in groups])
    an = np.array([value(group, "an") for group in groups])
    assert ((an == 0) == np.isnan(af)).all()
    np.testing.assert_array_equal(engine.rows["max_af"].to_numpy(), np.nanmax(af, axis=0))
    named = np.array([groups.index(name) for name in engine.rows["max_af_group"].to_pylist()])
    np.testing.assert_array_equal(named, np.nanargmax(af, axis=0))
