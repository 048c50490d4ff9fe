"""X, Y and MT: every count against plain Python, and against PLINK 2 wherever it counts the same way.

PLINK 2 counts otherwise, and is not asked, about: PAR on Y (haploid there), a haploid call where two copies
are meant (two copies there), and people of another or unknown sex on X and Y (female there). Half calls are
imported as missing where two copies are meant and as haploid where one is. A het where one copy is meant is
half a copy in ``--freq`` and missing in ``--geno-counts``, as here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_samples
from allofus_spark.tables import ALLELE_COUNTS, STRATA, VARIANT_SITES, Warehouse

from .engine import Frequencies, ingest, keys_of, read_calls, read_rows
from .plain_alleles import Key
from .plain_calls import read_plain
from .plain_sex import MEANT, missing_by_policy, plain_counts
from .plink import PlinkCounts, count_with_plink
from .sex_cohort import ANCESTRIES, BUILD, SAMPLES, SEXES, SexRecord, simulate
from .vcf_text import write_samples, write_vcf

RECORDS = simulate(seed=20260101)
KARYOTYPES = list(SEXES.values())
LABELS = [ancestry.lower() for ancestry in ANCESTRIES]
PEOPLE = {
    "overall": list(range(len(SAMPLES))),
    "overall_xx": [i for i, sex in enumerate(KARYOTYPES) if sex == "XX"],
    "overall_xy": [i for i, sex in enumerate(KARYOTYPES) if sex == "XY"],
    **{name: [i for i, label in enumerate(LABELS) if label == name] for name in ("afr", "eur", "sas", "amr")},
}

# PLINK's counts of each (contig, position), by (group, mode of half calls).
ByPlink = dict[tuple[str, str], dict[tuple[str, int], PlinkCounts]]


def alts_of(item: SexRecord) -> list[tuple[int, Key]]:
    """Number and key of each alt; single bases are normal as they are."""
    chrom, position, ref, alts, _ = item.record
    return [(number, (chrom, position, ref, alt)) for number, alt in enumerate(alts.split(","), 1)]


def plain(item: SexRecord, alt: int, people: Sequence[int]) -> dict[str, int]:
    meant = MEANT[item.region]
    return plain_counts(((item.record.gts[i], meant[KARYOTYPES[i]]) for i in people), alt)


@dataclass(frozen=True)
class Counted:
    """The cohort in a warehouse, counted, and the counters of both jobs.

    The genotypes came in twice: before the sample file, when ``calls_without_sex`` were stored, and after it.
    """

    warehouse: Warehouse
    calls_without_sex: npt.NDArray[np.int8]
    samples: dict[str, int]
    ingested: dict[str, int]
    counters: dict[str, int]
    engine: Frequencies


@pytest.fixture(scope="module")
def vcf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sex")
    return write_vcf(folder / "cohort.vcf", SAMPLES, [item.record for item in RECORDS])


@pytest.fixture(scope="module")
def counted(vcf: Path, new_warehouse: Callable[..., Warehouse]) -> Counted:
    warehouse = new_warehouse()
    ingest(warehouse, vcf, build=BUILD)
    _, calls = read_calls(warehouse)
    columns = {"sample_id": SAMPLES, "sex_karyotype": KARYOTYPES, "ancestry": ANCESTRIES}
    samples = ingest_samples(warehouse, write_samples(vcf.with_suffix(".tsv"), columns), callset_id="c")
    ingested, counters = ingest(warehouse, vcf, build=BUILD), compute_frequencies(warehouse)
    return Counted(warehouse, calls, samples, ingested, counters, Frequencies(warehouse))


def test_the_cohort_has_every_case() -> None:
    cases = Counter((item.record.chrom, item.region, item.style, item.record.alts) for item in RECORDS)
    regions = {case[:2] for case in cases}
    assert regions == {
        ("chr7", "autosome"), ("chrX", "autosome"), ("chrX", "X"), ("chrY", "autosome"), ("chrY", "Y"),
        ("chrM", "MT"),
    }  # fmt: skip
    assert len(cases) == 6 * 4 * 2  # regions, styles, one alt or two
    assert min(cases.values()) >= 2


def test_every_count_equals_plain_python(counted: Counted) -> None:
    engine = counted.engine
    alleles = [(item, number, key) for item in RECORDS for number, key in alts_of(item)]
    assert engine.keys == sorted(key for _, _, key in alleles)
    rows = engine.places([key for _, _, key in alleles])
    for group, people in PEOPLE.items():
        wanted = [plain(item, number, people) for item, number, _ in alleles]
        for field in ("ac", "an", "sc", "n_hom", "n_hemi"):
            expected = [counts[field] for counts in wanted]
            np.testing.assert_array_equal(
                engine.values(group, field)[rows], expected, err_msg=f"{group} {field}"
            )
        af = [counts["ac"] / counts["an"] if counts["an"] else np.nan for counts in wanted]
        np.testing.assert_array_equal(engine.values(group, "af")[rows], af)
    assert np.isnan(engine.values("overall_xx", "af")).any()  # XX on Y: no call, not frequency 0


@pytest.fixture(scope="module")
def by_plink(vcf: Path, oracle: Callable[[str], str]) -> ByPlink:
    """PLINK's counts by (group, mode of half calls)."""
    whole = vcf.with_name("plink.vcf")
    write_vcf(whole, SAMPLES, [item.record for item in RECORDS if item.style != "odd"])
    options = {"overall": (), "overall_xx": ("--keep-females",), "overall_xy": ("--keep-males",)}
    return {
        (group, mode): count_with_plink(oracle("plink2"), whole, SEXES, keep, mode)
        for group, keep in options.items()
        for mode in ("missing", "haploid")
    }


def plink_place(item: SexRecord) -> tuple[str, int]:
    contig = item.record.chrom.removeprefix("chr")
    return "MT" if contig == "M" else contig, item.record.position


def comparable(group: str) -> list[tuple[SexRecord, str]]:
    """Records that PLINK counts for a group as we do, and how it must read half calls there."""
    chosen = []
    for item in RECORDS:
        on_y_par = item.record.chrom == "chrY" and item.region == "autosome"
        all_sexes = group == "overall" and item.region in ("X", "Y")
        if item.style == "odd" or on_y_par or all_sexes:
            continue
        one_meant = item.region in ("MT", "Y") or (item.region == "X" and group == "overall_xy")
        chosen.append((item, "haploid" if one_meant else "missing"))
    return chosen


@pytest.mark.parametrize("group", ["overall", "overall_xx", "overall_xy"])
def test_equals_plink_freq(group: str, counted: Counted, by_plink: ByPlink) -> None:
    n_compared = Counter[str]()
    for item, mode in comparable(group):
        if item.style == "het":
            continue
        found = by_plink[group, mode][plink_place(item)]
        rows = counted.engine.places([key for _, key in alts_of(item)])
        assert tuple(counted.engine.values(group, "ac")[rows]) == found.alt_counts, item
        assert set(counted.engine.values(group, "an")[rows]) == {found.n_alleles}, item
        n_compared[item.region] += 1
    assert n_compared["autosome"] >= 16
    assert group == "overall" or min(n_compared[region] for region in ("X", "Y", "MT")) >= 8


@pytest.mark.parametrize("group", ["overall", "overall_xx", "overall_xy"])
def test_equals_plink_geno_counts(group: str, counted: Counted, by_plink: ByPlink) -> None:
    n_hets_left_out = 0
    for item, mode in comparable(group):
        if "," in item.record.alts:
            continue
        found = by_plink[group, mode][plink_place(item)]
        (row,) = counted.engine.places([key for _, key in alts_of(item)])
        an, sc, n_hom, n_hemi = (
            int(counted.engine.values(group, field)[row]) for field in ("an", "sc", "n_hom", "n_hemi")
        )
        assert n_hom == found.n_hom_alt, item
        assert n_hemi == found.n_hap_alt, item
        assert sc - n_hom - n_hemi == found.n_het, item
        assert an == 2 * (found.n_hom_ref + found.n_het + found.n_hom_alt) + found.n_hap_ref + found.n_hap_alt
        n_hets_left_out += item.style == "het" and item.region in ("X", "Y", "MT")
    assert n_hets_left_out >= 2


def test_strata_add_to_the_groups(counted: Counted) -> None:
    counts = read_rows(counted.warehouse, ALLELE_COUNTS)
    assert keys_of(counts) == counted.engine.keys
    strata = counted.warehouse.read(STRATA).orderBy("stratum_index").collect()
    assert [row.stratum_index for row in strata] == list(range(len(strata)))
    pairs = zip(LABELS, KARYOTYPES, strict=True)
    sizes = Counter((label or "unlabelled", sex or "other") for label, sex in pairs)
    assert {(row.ancestry, row.sex_class): row.n_samples for row in strata} == sizes
    het, hom, hemi, an = (
        np.array(counts[name].to_pylist()) for name in ("n_het", "n_hom_alt", "n_hemi_alt", "an_called")
    )
    assert het.shape == (counts.num_rows, len(strata))
    chosen = {
        "overall": [True for _ in strata],
        "overall_xx": [row.sex_class == "XX" for row in strata],
        "overall_xy": [row.sex_class == "XY" for row in strata],
        **{name: [row.ancestry == name for row in strata] for name in ("afr", "amr", "eur", "sas", "oth")},
    }
    for group, columns in chosen.items():
        ac = (het + 2 * hom + hemi)[:, columns].sum(axis=1)
        np.testing.assert_array_equal(counted.engine.values(group, "ac"), ac, err_msg=group)
        np.testing.assert_array_equal(
            counted.engine.values(group, "an"), an[:, columns].sum(axis=1), err_msg=group
        )


def test_calls_set_to_missing_are_counted(counted: Counted) -> None:
    sites = read_rows(counted.warehouse, VARIANT_SITES)
    place = {key: row for row, key in enumerate(keys_of(sites))}
    for rule in ("half", "haploid", "polyploid"):
        column = sites[f"n_{rule}_calls_missing"].to_pylist()
        total = 0
        for item in RECORDS:
            calls = zip(item.record.gts, KARYOTYPES, strict=True)
            wanted = sum(missing_by_policy(gt, item.region, sex) == rule for gt, sex in calls)
            total += wanted
            for _, key in alts_of(item):
                assert column[place[key]] == wanted, (rule, item)
        assert counted.ingested[f"calls_missing_{rule}"] == total > 0
    assert counted.counters["samples_sex_not_xx_or_xy"] == len(SAMPLES) - len(
        PEOPLE["overall_xx"] + PEOPLE["overall_xy"]
    )
    assert counted.counters["samples_unlabelled"] == LABELS.count("")


def test_stored_calls_equal_cyvcf2(counted: Counted, vcf: Path) -> None:
    with_sex = read_plain([vcf], BUILD, SEXES)
    keys, calls = read_calls(counted.warehouse)
    assert keys == with_sex.keys
    np.testing.assert_array_equal(calls, with_sex.calls)


def test_without_sex_half_calls_are_missing_and_haploid_ones_stay(counted: Counted, vcf: Path) -> None:
    without_sex = read_plain([vcf], BUILD)
    np.testing.assert_array_equal(counted.calls_without_sex, without_sex.calls)
    assert (without_sex.calls != read_plain([vcf], BUILD, SEXES).calls).any()
    assert counted.samples["samples_sex_changed"] == sum(sex != "" for sex in KARYOTYPES)
