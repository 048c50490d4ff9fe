"""A VDS against Hail's own dense MatrixTable and call_stats: combined from real gVCFs, and made by hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.hail_bridge import start_hail
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import VARIANT_SITES, Warehouse

from .engine import Frequencies, read_calls, read_rows
from .plain_alleles import plain_key

pytestmark = pytest.mark.long


BUILD = "GRCh38"


@pytest.fixture(scope="module")
def hail(spark: SparkSession) -> Any:
    start_hail(spark, BUILD)
    import hail as hl

    return hl


@pytest.fixture(scope="module")
def combined(
    realdata: Path, oracle: Callable[[str], str], hail: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The VDS that Hail's combiner makes of the 12 gVCFs."""
    folder = tmp_path_factory.mktemp("combined")
    for gvcf in sorted((realdata / "multisample/hail_gvcf_1kg_chr22_12.hg38").glob("*.gz")):
        shutil.copy(gvcf, folder)
        subprocess.run([oracle("tabix"), "-p", "vcf", folder / gvcf.name], check=True)
    end = hail.get_reference(BUILD).lengths["chr22"]
    chr22 = hail.Interval(hail.Locus("chr22", 1, BUILD), hail.Locus("chr22", end, BUILD), includes_end=True)
    hail.vds.new_combiner(
        gvcf_paths=sorted(map(str, folder.glob("*.gz"))),
        output_path=str(folder / "cohort.vds"),
        temp_path=str(folder / "temporary"),
        intervals=[chr22],
        reference_genome=BUILD,
    ).run()
    return folder / "cohort.vds"


def ingested(spark: SparkSession, folder: Path, source: Path, samples: str, *overrides: str) -> Warehouse:
    """A warehouse with the source as callset ``c``, and frequencies."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "warehouse"), overrides=overrides))
    labels = folder / "labels.tsv"
    labels.write_text(samples)
    ingest_samples(warehouse, str(labels), callset_id="c", columns={})
    ingest_genotypes(warehouse, [str(source)], callset_id="c", callset_date="2026-01-01", build=BUILD)
    compute_frequencies(warehouse)
    return warehouse


def test_counts_by_group_are_those_of_the_dense_matrix_table(
    spark: SparkSession, hail: Any, combined: Path, tmp_path: Path
) -> None:
    dense = hail.vds.to_dense_mt(hail.vds.read_vds(str(combined)))
    dense = dense.select_entries(GT=hail.vds.lgt_to_gt(dense.LGT, dense.LA))
    names = dense.s.collect()
    groups = {name: ("afr", "eur", "eas")[number % 3] for number, name in enumerate(names)}
    lines = [f"{name}\t{group}\n" for name, group in groups.items()]
    warehouse = ingested(spark, tmp_path, combined, "".join(["sample_id\tancestry\n", *lines]))
    dense = dense.annotate_cols(group=hail.literal(groups)[dense.s])
    stats = dense.annotate_rows(
        overall=hail.agg.call_stats(dense.GT, dense.alleles),
        groups=hail.agg.group_by(dense.group, hail.agg.call_stats(dense.GT, dense.alleles)),
    ).rows()
    frequencies = Frequencies(warehouse)
    seen, n_missing = 0, 0
    for row in stats.collect():
        ref, *alts = row.alleles
        n_missing += 2 * len(names) - row.overall.AN
        for number, alt in enumerate(alts, 1):
            if alt == "*":
                continue
            (place,) = frequencies.places([plain_key(row.locus.contig, row.locus.position, ref, alt, BUILD)])
            for group, counts in {"overall": row.overall, **row.groups}.items():
                found = [frequencies.values(group, field)[place] for field in ("ac", "an", "n_hom")]
                assert found == [counts.AC[number], counts.AN, counts.homozygote_count[number]]
            seen += 1
    assert seen == len(frequencies.keys) > 150
    # The gVCFs end at different places: what one does not cover is missing, not hom-ref.
    assert n_missing > 0


# (contig, position, alleles, (LGT, LA, FT) of S0 to S3; None: no variant call there)
SITES = [
    ("chr1", 1000, ["A", "C", "G"],
     [("0/1", [0, 1], True), ("1/2", [0, 1, 2], True), ("0/1", [0, 2], False), None]),
    ("chr1", 1010, ["T", "C"], [("1/1", [0, 1], None), None, None, None]),
    ("chrX", 50_000_000, ["G", "A"],
     [("1", [0, 1], True), ("0/1", [0, 1], True), ("1/1", [0, 1], True), None]),
    ("chrY", 10_000_000, ["C", "T"], [("1", [0, 1], True), None, ("1", [0, 1], False), None]),
]  # fmt: skip
# (contig, start, bases, GQ by sample; None: no block begins there)
BLOCKS = [
    ("chr1", 990, 15, [None, None, None, 50]),  # S3 is covered at 1000, nobody else has a block
    ("chr1", 1005, 10, [None, 10, 40, None]),  # at 1010 S1 and S2; S3 is not covered
    ("chrX", 49_999_990, 100, [None, None, None, 30]),
    ("chrY", 9_999_990, 100, [None, None, None, 30]),
]
SEXES = ["XY", "XX", "XX", "XY"]


@pytest.fixture(scope="module")
def by_hand(hail: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VDS with haploid calls, FT as a boolean, and places that no block covers."""
    hl = hail
    path = tmp_path_factory.mktemp("by_hand") / "x.vds"

    def matrix(rows: list[dict[str, Any]], row_type: str, entry_type: str, key: list[str]) -> Any:
        schema = f"struct{{{row_type}, entries: array<struct{{{entry_type}}}>}}"
        table = hl.Table.parallelize(rows, hl.dtype(schema), key=key)
        table = table.annotate_globals(people=[hl.struct(s=f"S{number}") for number in range(4)])
        return table._unlocalize_entries("entries", "people", ["s"])

    def variant(contig: str, position: int, alleles: list[str], calls: list[Any]) -> dict[str, Any]:
        entries = []
        for call in calls:
            if call is None:
                entries.append(None)
                continue
            genotype = hl.Call([int(allele) for allele in call[0].split("/")])
            entries.append({"LGT": genotype, "LA": call[1], "GQ": 60, "FT": call[2]})
        return {"locus": hl.Locus(contig, position, BUILD), "alleles": alleles, "entries": entries}

    def block(contig: str, start: int, bases: int, quality: list[int | None]) -> dict[str, Any]:
        entries = [None if gq is None else {"LEN": bases, "GQ": gq} for gq in quality]
        return {"locus": hl.Locus(contig, start, BUILD), "entries": entries}

    variants = matrix(
        [variant(*site) for site in SITES],
        "locus: locus<GRCh38>, alleles: array<str>",
        "LGT: call, LA: array<int32>, GQ: int32, FT: bool",
        ["locus", "alleles"],
    )
    blocks = matrix(
        [block(*item) for item in BLOCKS], "locus: locus<GRCh38>", "LEN: int32, GQ: int32", ["locus"]
    )
    hl.vds.VariantDataset(blocks, variants).write(str(path))
    return path


def expected_calls(filters: str) -> dict[tuple[str, int, str, str], list[int]]:
    """Calls by key: 0, 1, 2 alt copies, 3 missing; a haploid alt is 2."""
    ft = [3 if filters else 0, 3 if filters else 1]
    return {
        ("chr1", 1000, "A", "C"): [1, 1, ft[0], 0],
        ("chr1", 1000, "A", "G"): [0, 1, ft[1], 0],
        ("chr1", 1010, "T", "C"): [2, 0 if not filters else 3, 0, 3],
        ("chrX", 50_000_000, "G", "A"): [2, 1, 2, 0],
        # A haploid call of an XX person on Y is kept as it is, and not counted there.
        ("chrY", 10_000_000, "C", "T"): [2, 3, 3 if filters else 2, 0],
    }


@pytest.mark.parametrize("filters", ["", 'ingest.genotype_filters=["ft","GQ>=20"]'])
def test_blocks_are_hom_ref_and_uncovered_is_missing_on_x_and_y_too(
    spark: SparkSession, by_hand: Path, tmp_path: Path, filters: str
) -> None:
    lines = [f"S{number}\t{sex}\n" for number, sex in enumerate(SEXES)]
    samples = "".join(["sample_id\tsex_karyotype\n", *lines])
    warehouse = ingested(spark, tmp_path, by_hand, samples, *([filters] if filters else []))
    keys, calls = read_calls(warehouse)
    assert dict(zip(keys, calls.tolist(), strict=True)) == expected_calls(filters)
    frequencies = Frequencies(warehouse)
    places = frequencies.places([("chrX", 50_000_000, "G", "A"), ("chrY", 10_000_000, "C", "T")])
    counted = np.stack(
        [frequencies.values("overall", field)[places] for field in ("ac", "an", "n_hom", "n_hemi")], axis=1
    )
    assert counted.tolist() == [[4, 6, 1, 1], [1, 2, 0, 1]]
    if filters:
        sites = read_rows(warehouse, VARIANT_SITES).select(
            ["position", "n_ft_calls_missing", "n_gq_calls_missing"]
        )
        assert [tuple(row.values()) for row in sites.to_pylist()] == [
            (1000, 1, 0), (1000, 1, 0), (1010, 0, 1), (50_000_000, 0, 0), (10_000_000, 1, 0),
        ]  # fmt: skip


def test_a_matrix_table_cut_short_or_of_another_kind_is_refused(
    spark: SparkSession, hail: Any, by_hand: Path, tmp_path: Path
) -> None:
    def refusal(source: Path) -> str:
        warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path / "w")))
        with pytest.raises((BadSource, BadSamples)) as error:
            ingest_genotypes(warehouse, [str(source)], callset_id="c", callset_date="2026-01-01", build=BUILD)
        assert not (tmp_path / "w" / "controlled").exists()
        return str(error.value)

    matrix = tmp_path / "x.mt"
    hail.read_matrix_table(str(by_hand / "variant_data")).write(str(matrix))
    part = next((matrix / "entries/rows/parts").glob("part-*"))
    part.write_bytes(part.read_bytes()[:20])
    for checksum in part.parent.glob(".*.crc"):
        checksum.unlink()
    assert "x.mt: Hail failed while it packed its calls" in refusal(matrix)
    metadata = matrix / "metadata.json.gz"
    metadata.write_bytes(metadata.read_bytes()[:30])
    (matrix / ".metadata.json.gz.crc").unlink(missing_ok=True)
    assert "x.mt: Hail cannot read it" in refusal(matrix)
    table = tmp_path / "x.ht"
    hail.utils.range_table(3).write(str(table))
    assert "a Hail Table, which has no genotypes" in refusal(table)
    repeated = tmp_path / "repeated.mt"
    original = hail.read_matrix_table(str(by_hand / "variant_data"))
    original.key_cols_by(s="S0").write(str(repeated))
    assert "1 sample ids stand more than once: S0" in refusal(repeated)
    wrong = tmp_path / "wrong.mt"
    hail.utils.range_matrix_table(3, 3).write(str(wrong))
    assert "not by locus and alleles" in refusal(wrong)


def test_a_filter_on_what_reference_blocks_do_not_have_is_refused(
    spark: SparkSession, by_hand: Path, tmp_path: Path
) -> None:
    """Else every hom-ref call would be set to missing for want of DP."""
    settings = load_settings(
        warehouse=str(tmp_path / "w"), overrides=['ingest.genotype_filters=["GQ>=20", "DP>=10"]']
    )
    with pytest.raises(BadSource, match=r"GQ>=20, DP>=10 need DP, which .*x\.vds does not give"):
        ingest_genotypes(
            Warehouse(spark, settings), [str(by_hand)], callset_id="c", callset_date="2026-01-01", build=BUILD
        )
