"""Quality on X, Y, PAR and MT: every count against plain Python, tests and call rates against PLINK 2.

Inferred sex is held against PLINK 2's ``--het`` on the same calls renamed to an autosome: the F coefficient
of PLINK 1.9's ``--check-sex`` is that of its ``--het``, with the allele frequencies of X.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allofus_spark.ingest import ingest_samples
from allofus_spark.qc import compute_qc
from allofus_spark.tables import Warehouse

from .engine import ingest, read_calls
from .plain_calls import plain_region
from .plain_sex import MEANT, counted_call
from .quality import Quality, read_quality, report, run_plink
from .sex_cohort import ANCESTRIES, BUILD, SAMPLES, SEXES, SexRecord, simulate
from .vcf_text import Record, write_samples, write_vcf


def singletons() -> list[SexRecord]:
    """Records at which one person carries one copy."""
    records = []
    for chrom, position, region, carrier in (
        ("chr7", 90_000, "autosome", "S002"),
        ("chrX", 90_000_000, "X", "S003"),
        ("chrX", 90_000_010, "X", "S004"),
        ("chrM", 9_000, "MT", "S006"),
    ):
        haploid = {name: MEANT[region][sex] == 1 for name, sex in SEXES.items()}
        gts = ["0" if haploid[name] else "0/0" for name in SAMPLES]
        gts[SAMPLES.index(carrier)] = "1" if haploid[carrier] else "0/1"
        records.append(SexRecord(Record(chrom, position, "A", "G", gts), region, "singleton"))
    return records


RECORDS = {(item.record.chrom, item.record.position): item for item in [*simulate(5), *singletons()]}
# Every third sample has a relative.
UNRELATED = [sample for number, sample in enumerate(SAMPLES) if number % 3]


class Cohort:
    """The simulated cohort in a warehouse, assessed, and plain copies of each variant's calls."""

    def __init__(self, warehouse: Warehouse, vcf: Path, quality: Quality, counters: dict[str, int]) -> None:
        self.vcf, self.quality, self.counters = vcf, quality, counters
        _, self.stored = read_calls(warehouse)
        self.plain = [self._plain(row) for row in quality.variants]

    def _plain(self, row: dict[str, Any]) -> list[tuple[int, int] | None]:
        """(copies, alleles called) of each sample; None: missing or not counted."""
        item = RECORDS[row["contig"], row["position"]]
        alt = item.record.alts.split(",").index(row["alt"]) + 1
        meant = MEANT[item.region]
        return [
            counted_call(gt, alt, meant[sex]) for gt, sex in zip(item.record.gts, SEXES.values(), strict=True)
        ]

    def region(self, row: dict[str, Any]) -> str:
        return RECORDS[row["contig"], row["position"]].region


@pytest.fixture(scope="module")
def cohort(new_warehouse: Callable[..., Warehouse], tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("quality_of_sex")
    vcf = write_vcf(folder / "cohort.vcf", SAMPLES, [item.record for item in RECORDS.values()])
    warehouse = new_warehouse()
    columns = {"sample_id": SAMPLES, "sex_karyotype": list(SEXES.values()), "ancestry": ANCESTRIES}
    ingest_samples(warehouse, write_samples(folder / "samples.tsv", columns), callset_id="c")
    ingest(warehouse, vcf, build=BUILD)
    counters = compute_qc(warehouse, unrelated=UNRELATED)
    return Cohort(warehouse, vcf, read_quality(warehouse), counters)


def test_call_rates_of_variants_equal_plain_python(cohort: Cohort) -> None:
    for row, calls in zip(cohort.quality.variants, cohort.plain, strict=True):
        n_meant = sum(MEANT[cohort.region(row)][sex] > 0 for sex in SEXES.values())
        n_called = sum(call is not None for call in calls)
        assert (row["n_meant"], row["n_called"]) == (n_meant, n_called), row
        assert row["call_rate"] == n_called / n_meant


def test_tests_count_the_unrelated_with_two_copies(cohort: Cohort) -> None:
    assert cohort.counters["samples_unrelated"] == len(UNRELATED)
    seen = Counter[str]()
    for row, calls in zip(cohort.quality.variants, cohort.plain, strict=True):
        region = cohort.region(row)
        seen[region] += 1
        for name in ("excess_het", *(f"hwe_{group}" for group in ("afr", "eur", "sas"))):
            chosen = [
                call
                for call, sample, ancestry in zip(calls, SAMPLES, ANCESTRIES, strict=True)
                if sample in UNRELATED and (name == "excess_het" or f"hwe_{ancestry.lower()}" == name)
            ]
            if region in ("Y", "MT"):
                assert row[name] is None
                assert "not_diploid" in row["not_assessed"]
            else:
                counts = Counter(call[0] for call in chosen if call is not None and call[1] == 2)
                found = (row[name]["n_hom_ref"], row[name]["n_het"], row[name]["n_hom_alt"])
                assert found == tuple(counts[copies] for copies in range(3)), (name, row)
    assert min(seen[region] for region in ("autosome", "X", "Y", "MT")) >= 10


def test_counts_of_samples_equal_plain_python(cohort: Cohort) -> None:
    single = [sum(call[0] for call in calls if call is not None) == 1 for calls in cohort.plain]
    assert sum(single) == 4
    for place, row in enumerate(cohort.quality.samples):
        calls = [calls[place] for calls in cohort.plain]
        kinds = Counter(call for call in calls if call is not None)
        assert (row["n_hom_ref"], row["n_het"]) == (kinds[0, 2], kinds[1, 2])
        assert (row["n_hom_alt"], row["n_hemi_ref"], row["n_hemi_alt"]) == (
            kinds[2, 2],
            kinds[0, 1],
            kinds[1, 1],
        )
        carried = [call is not None and call[0] > 0 for call in calls]
        assert row["n_singletons"] == sum(a and b for a, b in zip(carried, single, strict=True))
        sex = row["sample_id"] and SEXES[row["sample_id"]]
        n_meant = sum(MEANT[cohort.region(variant)][sex] > 0 for variant in cohort.quality.variants)
        assert row["n_called"] + row["n_missing"] == n_meant
        on_x = [cohort.region(variant) == "X" for variant in cohort.quality.variants]
        stored = cohort.stored[on_x, place]
        assert (row["n_x_called"], row["n_x_het"]) == ((stored != 3).sum(), (stored == 1).sum())


@pytest.mark.parametrize("region", ["autosome", "X"])
def test_hardy_weinberg_on_x_is_that_of_plink_among_xx(
    region: str, cohort: Cohort, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    """``.hardy.x`` of females alone is the plain exact test; excess_het is of the same people."""
    chosen = [
        item.record for item in RECORDS.values()
        if item.region == region and item.record.chrom == "chrX" and item.style == "clean"
        and "," not in item.record.alts
    ]  # fmt: skip
    vcf = write_vcf(tmp_path / "x.vcf", SAMPLES, chosen)
    people = [
        sample for sample, ancestry in zip(SAMPLES, ANCESTRIES, strict=True)
        if sample in UNRELATED and ancestry == "eur" and (region != "X" or SEXES[sample] == "XX")
    ]  # fmt: skip
    by_position = hardy(oracle("plink2"), vcf, people, region == "X")
    compared = 0
    for row in cohort.quality.variants:
        if row["position"] in by_position and row["contig"] == "chrX":
            p = 10 ** -row["hwe_eur"]["neg_log10_p"]
            assert p == pytest.approx(by_position[row["position"]], rel=1e-5)
            compared += 1
    assert compared == len(chosen) >= 2


def hardy(plink2: str, vcf: Path, people: list[str], on_x: bool) -> dict[int, float]:
    keep, sexes = vcf.with_suffix(".keep"), vcf.with_suffix(".sexes")
    keep.write_text("\n".join(people) + "\n")
    codes = {"XX": "2", "XY": "1"}
    sexes.write_text(
        "#IID\tSEX\n" + "".join(f"{name}\t{codes.get(sex, '0')}\n" for name, sex in SEXES.items())
    )
    out = run_plink(
        plink2, vcf, vcf.with_suffix(""), "--keep", str(keep), "--update-sex", str(sexes),
        "--split-par", "hg38", "--hardy", "cols=chrom,pos,p",
    )  # fmt: skip
    rows = report(out.with_suffix(".hardy.x" if on_x else ".hardy"))
    return {int(row["POS"]): float(row["P"]) for row in rows}


N_X = 400
PEOPLE = {f"P{number:03d}": ("XX", "XY")[number % 2] for number in range(80)}
DECLARED = PEOPLE | {"P000": "XY", "P001": "XX", "P002": "", "P003": "other"}


def simulate_x(seed: int) -> list[Record]:
    """Calls on non-PAR X, two alleles for everyone as some callers write them; 2 % are missing."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(N_X):
        frequency = rng.uniform(0.05, 0.95)
        alleles = (rng.random((len(PEOPLE), 2)) < frequency).astype(int)
        gts = []
        for pair, sex, missing in zip(alleles, PEOPLE.values(), rng.random(len(PEOPLE)) < 0.02, strict=True):
            first, second = pair if sex == "XX" else (pair[0], pair[0])
            gts.append("./." if missing else f"{first}/{second}")
        records.append(Record("chrX", 10_000_000 + 1000 * number, "A", "G", gts))
    return records


@pytest.fixture(scope="module")
def inferred(
    new_warehouse: Callable[..., Warehouse], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Quality, dict[str, int]]:
    folder = tmp_path_factory.mktemp("inferred_sex")
    vcf = write_vcf(folder / "x.vcf", list(PEOPLE), simulate_x(6))
    warehouse = new_warehouse()
    columns = {"sample_id": list(PEOPLE), "sex_karyotype": list(DECLARED.values())}
    ingest_samples(warehouse, write_samples(folder / "samples.tsv", columns), callset_id="c")
    ingest(warehouse, vcf, build=BUILD)
    counters = compute_qc(warehouse)
    return vcf, read_quality(warehouse), counters


def test_f_of_x_equals_plink(
    inferred: tuple[Path, Quality, dict[str, int]], oracle: Callable[[str], str]
) -> None:
    vcf, quality, _ = inferred
    sexes = vcf.with_suffix(".sexes")
    # Of unknown sex, PLINK counts two copies on X, as is done here.
    codes = {"XX": "2", "XY": "1"}
    sexes.write_text(
        "#IID\tSEX\n" + "".join(f"{name}\t{codes.get(sex, '0')}\n" for name, sex in DECLARED.items())
    )
    plink2, names = oracle("plink2"), ("--set-all-var-ids", "@:#")
    frequencies = run_plink(plink2, vcf, vcf.with_suffix(".x"), *names, "--update-sex", str(sexes), "--freq")
    lines = frequencies.with_suffix(".x.afreq").read_text()
    read = vcf.with_suffix(".afreq")
    read.write_text(lines.replace("X:", "1:").replace("\nX\t", "\n1\t").replace("\nchrX\t", "\n1\t"))
    autosome = vcf.with_name("renamed.vcf")
    autosome.write_text(vcf.read_text().replace("chrX", "1"))
    out = run_plink(
        plink2,
        autosome,
        vcf.with_suffix(".het"),
        *names,
        "--read-freq",
        str(read),
        "--het",
        "cols=het,nobs,f",
    )
    people = report(Path(f"{out}.het"))
    for row, plink in zip(quality.samples, people, strict=True):
        assert row["sample_id"] == plink["#IID"]
        assert row["n_x_called"] == int(plink["OBS_CT"])
        assert row["n_x_het"] == int(plink["O(HET)"])
        assert row["expected_x_hets"] == pytest.approx(float(plink["E(HET)"]), rel=1e-5)
        assert row["x_f"] == pytest.approx(float(plink["F"]), rel=1e-5, abs=1e-5)


def test_sex_is_inferred_and_contradictions_are_flagged(
    inferred: tuple[Path, Quality, dict[str, int]],
) -> None:
    _, quality, counters = inferred
    by_id = {row["sample_id"]: row for row in quality.samples}
    judged = {name: row["inferred_sex"] for name, row in by_id.items() if row["inferred_sex"] != "ambiguous"}
    assert judged.items() <= PEOPLE.items()
    assert len(judged) > 60
    for name in ("P000", "P001"):
        assert by_id[name]["contradicts_sex_karyotype"] is True
        assert by_id[name]["reasons"] == ["SexMismatch"]
    for name in ("P002", "P003"):
        assert by_id[name]["contradicts_sex_karyotype"] is None
        assert by_id[name]["not_assessed"] == ["no_call_meant", "no_sex_karyotype"]
    assert counters["samples_flagged_SexMismatch"] == 2
    assert counters["samples_not_assessed_no_sex_karyotype"] == 2
    ambiguous = [row for row in by_id.values() if row["inferred_sex"] == "ambiguous"]
    assert counters["samples_flagged_SexAmbiguous"] == len(ambiguous)
    assert all(row["contradicts_sex_karyotype"] is None for row in ambiguous)


def test_without_a_list_excess_heterozygosity_counts_everyone_and_hardy_weinberg_is_null(
    inferred: tuple[Path, Quality, dict[str, int]],
) -> None:
    _, quality, counters = inferred
    n_xx = sum(sex == "XX" for sex in DECLARED.values())
    for row in quality.variants:
        test = row["excess_het"]
        assert test["n_hom_ref"] + test["n_het"] + test["n_hom_alt"] <= n_xx
        assert row["hwe_eur"] is None
        assert row["not_assessed"] == ["no_unrelated_list", "no_genotype_quality", "no_qual"]
    assert counters["variants_not_assessed_no_unrelated_list"] == N_X
    assert all(plain_region(row["contig"], row["position"], BUILD) == "X" for row in quality.variants)
