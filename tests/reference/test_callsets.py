"""One cohort in two callsets: equal to the whole where both keep all sites; absent is never hom-ref.

The cohort's second half keeps every site of chr1 and loses some of chr2. Expected counts are worked out in
plain Python from the genotypes as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_samples
from allofus_spark.tables import VARIANTS, Warehouse

from .engine import Frequencies, ingest, keys_of, read_rows
from .plain_alleles import Key, is_sequence
from .plain_sex import plain_counts
from .vcf_text import Record, write_samples, write_vcf

SAMPLES = [f"{number:04d}" for number in range(37)]
HALVES = {"first": SAMPLES[:16], "second": SAMPLES[16:]}
MEMBERS = {"whole": SAMPLES, **HALVES}
FIELDS = ("ac", "an", "sc", "n_hom", "n_hemi")
ANCESTRY = {sample: ("afr", "EAS", "eur", "")[number % 4] for number, sample in enumerate(SAMPLES)}
# Alleles of each site, on both contigs.
SITES = {
    100: ("A", "C"),
    200: ("A", "C,G"),
    300: ("A", "C,G,T"),
    400: ("A", "C,AT"),
    500: ("ACT", "A"),
    600: ("A", "<DEL>"),
    700: ("G", "GA,GAA"),
    800: ("C", "T"),
}


def simulate(seed: int) -> list[Record]:
    """All sites, hets of any two alleles, missing and half calls; chr2 has the calls of chr1."""
    rng = np.random.default_rng(seed)
    records = []
    for position, (ref, alts) in SITES.items():
        alleles = [".", *map(str, range(alts.count(",") + 2))]
        calls = rng.choice(alleles, (len(SAMPLES), 2), p=_weights(len(alleles)))
        records.append(Record("chr1", position, ref, alts, ["/".join(call) for call in calls]))
    return records + [record._replace(chrom="chr2") for record in records]


def _weights(n: int) -> list[float]:
    return [0.06, 0.54, *[0.4 / (n - 2)] * (n - 2)]


def of_half(record: Record, half: str) -> Record:
    chosen = HALVES[half]
    return record._replace(gts=[record.gts[SAMPLES.index(sample)] for sample in chosen])


def keep_alt(record: Record, number: int) -> Record:
    """The record with one of its alts; the carriers of others are called as reference."""
    renumbered = {str(other): "1" if other == number else "0" for other in range(10)} | {".": "."}
    gts = ["/".join(renumbered[allele] for allele in gt.split("/")) for gt in record.gts]
    return record._replace(alts=record.alts.split(",")[number - 1], gts=gts)


def second_half(records: Sequence[Record]) -> list[Record]:
    """All of chr1; of chr2 some sites are gone, and some have one alt left."""
    kept = []
    for record in records:
        half = of_half(record, "second")
        if half.chrom == "chr1":
            kept.append(half)
        elif half.position in (200, 300):
            kept.append(keep_alt(half, 2))
        elif half.position == 400:
            kept.append(keep_alt(half, 1))
        elif half.position == 700:
            kept.append(keep_alt(half, 2))
        elif half.position == 800:
            kept.append(half)
    # A site that only this callset has, where nobody is called.
    kept.append(Record("chr2", 900, "T", "C", ["./."] * len(HALVES["second"])))
    return kept


RECORDS = simulate(seed=3202)
CALLSETS = {"first": [of_half(record, "first") for record in RECORDS], "second": second_half(RECORDS)}


def is_snv(ref: str, alt: str) -> bool:
    return len(ref) == len(alt) == 1 and is_sequence(alt)


def expected_counts(
    key: Key, callsets: Mapping[str, Sequence[Record]], people: frozenset[str]
) -> dict[str, int]:
    """Counts of one allele over callsets among some people; the alleles are normal as they are."""
    contig, position, ref, alt = key
    total = dict.fromkeys(FIELDS, 0)
    for name, records in callsets.items():
        for record in records:
            alts = record.alts.split(",")
            if (record.chrom, record.position, record.ref) != (contig, position, ref):
                continue
            if alt not in alts and not (is_snv(ref, alt) and any(is_snv(ref, other) for other in alts)):
                continue
            # An allele that the record does not have gets a number that nobody carries.
            number = alts.index(alt) + 1 if alt in alts else 9
            gts = zip(MEMBERS[name], record.gts, strict=True)
            counts = plain_counts(((gt, 2) for sample, gt in gts if sample in people), number)
            total = {field: total[field] + counts[field] for field in FIELDS}
    return total


@dataclass(frozen=True)
class Both:
    """The cohort as one callset, and as two."""

    whole: Frequencies
    halves: Frequencies
    halves_warehouse: Warehouse


@pytest.fixture(scope="module")
def both(new_warehouse: Callable[..., Warehouse], tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("callsets")
    labels = write_samples(
        folder / "labels.tsv", {"sample_id": SAMPLES, "ancestry": [ANCESTRY[sample] for sample in SAMPLES]}
    )
    whole, halves = new_warehouse(), new_warehouse()
    # chr2 has its sample columns in another order.
    forward = write_vcf(folder / "chr1.vcf", SAMPLES, [item for item in RECORDS if item.chrom == "chr1"])
    backward = [item._replace(gts=item.gts[::-1]) for item in RECORDS if item.chrom == "chr2"]
    reversed_columns = write_vcf(folder / "chr2.vcf", SAMPLES[::-1], backward)
    ingest(whole, forward, reversed_columns, build="GRCh38")
    compute_frequencies(whole)
    for name, samples in HALVES.items():
        path = write_vcf(folder / f"{name}.vcf", samples, CALLSETS[name])
        ingest(halves, path, build="GRCh38", callset_id=name)
        ingest_samples(halves, labels, callset_id=name)
    compute_frequencies(halves)
    return Both(Frequencies(whole), Frequencies(halves), halves)


PEOPLE = {
    "overall": frozenset(SAMPLES),
    **{name: frozenset(s for s in SAMPLES if ANCESTRY[s].lower() == name) for name in ("afr", "eas", "eur")},
}

UNLABELLED = frozenset(sample for sample in SAMPLES if not ANCESTRY[sample])


def test_whole_cohort_equals_plain_python(both: Both) -> None:
    assert len(both.whole.keys) == 2 * sum(alts.count(",") + 1 for _, alts in SITES.values())
    for field in FIELDS:
        wanted = [
            expected_counts(key, {"whole": RECORDS}, PEOPLE["overall"])[field] for key in both.whole.keys
        ]
        np.testing.assert_array_equal(both.whole.values("overall", field), wanted, err_msg=field)


def test_two_callsets_with_all_sites_equal_the_whole(both: Both) -> None:
    whole, halves = (
        engine.rows.filter(pa.array([key[0] == "chr1" for key in engine.keys]))
        for engine in (both.whole, both.halves)
    )
    assert whole.num_rows == len(both.whole.keys) / 2
    for column in ("contig", "position", "ref", "alt", "variant_id", "overall"):
        assert whole[column].equals(halves[column]), column
    # Labels are known in the halves only: their groups add up to the whole's total.
    for field in FIELDS:
        everyone = pc.struct_field(whole["overall"], field).to_numpy()
        parts = [pc.struct_field(halves[group], field).to_numpy() for group in ("afr", "eas", "eur")]
        unlabelled = [expected_counts(key, CALLSETS, UNLABELLED)[field] for key in keys_of(halves)]
        np.testing.assert_array_equal(everyone, sum(parts) + np.array(unlabelled), err_msg=field)


@pytest.mark.parametrize("group", PEOPLE)
def test_absent_sites_are_not_called(group: str, both: Both) -> None:
    wanted = [expected_counts(key, CALLSETS, PEOPLE[group]) for key in both.halves.keys]
    for field in FIELDS:
        expected = [counts[field] for counts in wanted]
        np.testing.assert_array_equal(both.halves.values(group, field), expected, err_msg=field)
    af = [counts["ac"] / counts["an"] if counts["an"] else np.nan for counts in wanted]
    np.testing.assert_array_equal(both.halves.values(group, "af"), af)


def test_dropped_sites_fall_in_an_and_never_become_zero(both: Both) -> None:
    an = {
        key: int(value)
        for key, value in zip(both.halves.keys, both.halves.values("overall", "an"), strict=True)
    }
    af = dict(zip(both.halves.keys, both.halves.values("overall", "af"), strict=True))
    first = {"first": CALLSETS["first"]}
    for position, ref, alt in ((100, "A", "C"), (500, "ACT", "A"), (600, "A", "<DEL>"), (400, "A", "AT"),
                               (700, "G", "GA")):  # fmt: skip
        key = ("chr2", position, ref, alt)
        of_first = expected_counts(key, first, PEOPLE["overall"])
        assert an[key] == of_first["an"] < an["chr1", position, ref, alt]
        assert af[key] == of_first["ac"] / of_first["an"] > 0
    # The exception: another single base at the site says that the callset was called there.
    for position, alt in ((200, "C"), (300, "C"), (300, "T")):
        key = ("chr2", position, "A", alt)
        assert an[key] == an["chr1", position, "A", alt]
        assert 0 < af[key] < af["chr1", position, "A", alt]
    assert an["chr2", 900, "T", "C"] == 0
    assert np.isnan(af["chr2", 900, "T", "C"])


def test_first_callset_of_each_variant(both: Both) -> None:
    variants = read_rows(both.halves_warehouse, VARIANTS)
    first = dict(zip(keys_of(variants), variants["first_callset_id"].to_pylist(), strict=True))
    assert first.pop(("chr2", 900, "T", "C")) == "second"
    assert set(first) == set(both.whole.keys)
    assert set(first.values()) == {"first"}
