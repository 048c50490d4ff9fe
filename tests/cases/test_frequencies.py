"""Allele counts and frequencies from the tables, after ingest and counting, against hand-made answers."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from allofus_spark.errors import BadSamples
from allofus_spark.frequencies import write_subset_frequencies
from allofus_spark.tables import GENOTYPES, SAMPLES, VARIANT_SITES, VARIANTS
from tests.cases.pool import BIN_WIDTH, WIDE_SAMPLES, Pool


def expected_of(cases: Path, folder: str) -> Any:
    return json.loads((cases / folder / "expected.json").read_text())


def counts_of(frequency: dict[str, Any]) -> dict[str, Any]:
    """A frequency under the names of the answers."""
    return {
        "AC": frequency["ac"],
        "AN": frequency["an"],
        "AF": frequency["af"],
        "hom": frequency["n_hom"],
        "n_hom_alt": frequency["n_hom"],
        "hemi": frequency["n_hemi"],
    }


def assert_has(frequency: dict[str, Any], answer: dict[str, Any]) -> None:
    counts = counts_of(frequency)
    assert {name: counts[name] for name in answer} == answer


def test_half_calls_are_missing_on_either_side(pool: Pool, cases: Path) -> None:
    answers = expected_of(cases, "01_half_calls")["accept_any_one_policy_for_all_rows"]["whole_missing"]
    assert len(answers) == 2
    for key, answer in answers.items():
        assert_has(pool.frequencies[key]["overall"], answer)


def test_males_have_one_copy_of_x_outside_of_the_pseudoautosomal_regions(pool: Pool, cases: Path) -> None:
    answers = expected_of(cases, "02_chrx_nonpar_males")
    half_calls_of_one_copy = answers["chrX:60000000:T:C"]["accept_one_of"][0]
    assert half_calls_of_one_copy["policy"] == "count_present"
    answers["chrX:60000000:T:C"] = half_calls_of_one_copy
    columns = {"XX": "overall_xx", "XY": "overall_xy", "all": "overall"}
    for key in ("chrX:1000000:G:A", "chrX:50000000:C:T", "chrX:60000000:T:C"):
        for group in columns.keys() & answers[key].keys():
            assert_has(pool.frequencies[key][columns[group]], answers[key][group])


def test_split_alleles_are_counted_apart_and_star_is_none(pool: Pool, cases: Path) -> None:
    answers = expected_of(cases, "04_star_minrep_split")
    for row in answers["rows_in_order"]:
        key = row.pop("key")
        assert_has(pool.frequencies[key]["overall"], row)
    assert not pool.frequencies.keys() & set(answers["must_not_contain_keys"])
    assert not [key for key in pool.frequencies if key.endswith((":*", ":<NON_REF>"))]


def test_rows_of_a_file_rise_by_position(pool: Pool) -> None:
    rows = pool.warehouse.read(VARIANTS).select("position", F.input_file_name().alias("file"), "contig")
    files: dict[str, list[int]] = {}
    for row in rows.where("contig = 'chr20'").collect():
        files.setdefault(row.file, []).append(row.position)
    assert sorted(position for held in files.values() for position in held) == [
        14500,
        14500,
        20000,
        20001,
        20003,
    ]
    for positions in files.values():
        assert positions == sorted(positions)


def test_symbolic_and_long_alleles_come_back_byte_for_byte(pool: Pool, cases: Path) -> None:
    answers = expected_of(cases, "08_symbolic_and_long_alleles")
    for key, answer in answers["counts"].items():
        assert_has(pool.frequencies[key]["overall"], answer)
    rows = {
        f"chr2:{row.position}": row
        for row in pool.warehouse.read(VARIANTS).where("contig = 'chr2'").collect()
    }
    for place, answer in answers["long"].items():
        row = rows[place]
        for column in ("ref", "alt"):
            if f"{column}_len" in answer:
                assert len(row[column]) == answer[f"{column}_len"]
            if f"{column}_sha256" in answer:
                assert hashlib.sha256(row[column].encode()).hexdigest() == answer[f"{column}_sha256"]
        counts = {name: answer[name] for name in ("AC", "AN", "hom") if name in answer}
        assert_has(pool.frequencies[f"{place}:{row.ref}:{row.alt}"]["overall"], counts)
        assert len(row.variant_id) < 100
    assert {rows[place].variant_type for place in ("chr2:100000", "chr2:150000")} == {"symbolic"}
    assert rows["chr2:200000"].variant_type == "breakend"
    assert len({row.variant_id for row in rows.values()}) == len(rows)


def test_records_without_gt_have_no_frequency(pool: Pool, cases: Path) -> None:
    answers = expected_of(cases, "10_gt_missing_or_undeclared")
    for key, answer in answers["mixed_format.vcf"].items():
        if key.startswith("chr1:"):
            assert_has(pool.frequencies[key]["overall"], answer)
    for key, answer in answers["undeclared_gt.vcf"]["accept_one_of"][0].items():
        assert_has(pool.frequencies[key]["overall"], answer)


def test_ids_that_look_like_numbers_or_hold_spaces_are_text(pool: Pool, cases: Path) -> None:
    answers = expected_of(cases, "11_sample_ids")["ids.vcf"]
    for group, answer in answers["chr1:4000:A:G"].items():
        column = "overall" if group == "all" else group
        assert_has(pool.frequencies["chr1:4000:A:G"][column], answer)
    samples = pool.warehouse.read(SAMPLES).where("sample_id NOT LIKE '%:%' AND sample_index IS NOT NULL")
    rows = samples.collect()
    assert {row.sample_id for row in rows if row.ancestry} == {
        *("007", "7", "1e5", "NA 12", "NA", "Ünit-3", "S_1")
    }
    assert len(rows) == answers["n_samples"] == answers["joined"]


def test_a_group_without_calls_has_no_frequency_and_a_sample_without_label_counts_overall(
    pool: Pool, cases: Path
) -> None:
    answers = expected_of(cases, "18_an0_and_group_labels")["labels.tsv"]
    for key in ("chr1:100:A:G", "chr1:200:C:T"):
        for group, answer in answers[key].items():
            column = "overall" if group == "all" else group.lower()
            assert_has(pool.frequencies[key][column], answer)
    nothing = pool.frequencies["chr1:200:C:T"]
    assert [nothing[name] for name in ("max_af", "max_af_group", "grpmax_af", "fafmax")] == [None] * 4
    # Z9 is labelled and has no column; of the pool, 7 + 4 samples have a label, and those of the wide file.
    n_samples, n_wide = pool.frequencies_counters["samples"], len(WIDE_SAMPLES)
    assert pool.frequencies_counters["samples_unlabelled"] == n_samples - 11 - n_wide
    described = pool.warehouse.read(SAMPLES).where("sample_index IS NULL").collect()
    assert [row.sample_id for row in described] == ["label:Z9"]
    counted = {
        name: pool.genotypes_counters[f"samples_{name}"]
        for name in ("described", "matched", "without_genotypes", "not_described")
    }
    assert counted == {
        "described": 20 + n_wide,
        "matched": 19 + n_wide,
        "without_genotypes": 1,
        "not_described": n_samples - 19 - n_wide,
    }


def test_an_allele_lies_in_the_bin_of_its_normal_form(pool: Pool) -> None:
    rows = pool.warehouse.read(VARIANT_SITES).where("contig = 'chr3'").collect()
    bins = {(row.position, row.ref, row.alt): row.bin for row in rows}
    assert bins == {
        (10_001, "T", "A"): 1,  # written at 9998 and again at 10001
        (9_999, "CACGT", "C"): 0,
        (20_002, "A", "C"): 2,
        (19_990, "GTTTTTTTTTTTA", "G"): 1,
        (19_995, "T", "G"): 1,
    }
    assert {row.position // BIN_WIDTH == row.bin for row in rows} == {True}
    assert pool.genotypes_counters["alleles_collapsed"] == 1
    assert_has(pool.frequencies["chr3:10001:T:A"]["overall"], {"AC": 1, "AN": 4})
    assert_has(pool.frequencies["chr3:9999:CACGT:C"]["overall"], {"AC": 3, "AN": 4, "hom": 1})


@pytest.mark.parametrize("group", ["afr", "eur"])
def test_groups_and_the_unlabelled_add_up_to_overall(group: str, pool: Pool) -> None:
    for key, row in pool.frequencies.items():
        assert row[group]["an"] <= row["overall"]["an"], key
        assert row["overall"]["ac"] <= row["overall"]["an"], key
        assert (row["overall"]["af"] is None) == (row["overall"]["an"] == 0), key


def test_sparse_calls_count_like_dense_ones(pool: Pool) -> None:
    encodings = {row.contig: row.encoding for row in pool.warehouse.read(GENOTYPES).collect()}
    assert (encodings["chr4"], encodings["chr3"]) == ("sparse", "dense")
    n_samples = pool.frequencies_counters["samples"]
    assert_has(pool.frequencies["chr4:5:A:T"]["overall"], {"AC": 3, "AN": 2 * (n_samples - 1), "hom": 1})


def test_any_set_of_samples_is_counted_into_a_file(pool: Pool, cases: Path, tmp_path: Path) -> None:
    file = tmp_path / "subset.tsv"
    ids = [f"label:S{number}" for number in range(1, 6)]
    write_subset_frequencies(pool.warehouse, ids, file=str(file))
    with file.open(newline="") as lines:
        rows = {row["variant_id"]: row for row in csv.DictReader(lines, delimiter="\t")}
    assert len(rows) == len(pool.frequencies)
    answers = expected_of(cases, "18_an0_and_group_labels")["labels.tsv"]
    for key, name in (("chr1:100:A:G", "1-100-A-G"), ("chr1:200:C:T", "1-200-C-T")):
        for group, answer in answers[key].items():
            column = "overall" if group == "all" else group.lower()
            # No frequency is an empty cell, never NaN.
            found = {field: rows[name][f"{column}_{field.lower()}"] for field in ("AC", "AN", "AF")}
            assert found == {
                field: "" if answer[field] is None else str(answer[field]) for field in ("AC", "AN", "AF")
            }
    assert rows["1-4000-A-G"]["overall_an"] == "0"
    with pytest.raises(BadSamples, match="1 of 2 sample ids are in no active callset: nobody"):
        write_subset_frequencies(pool.warehouse, ["007", "nobody"], file=str(file))
