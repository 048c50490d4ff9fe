"""KING-robust kinship and its counts are those of PLINK 2, on real genotypes and on missing calls."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from allofus_spark.cohort import active_samples
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.relatedness.people import choose_people
from allofus_spark.relatedness.sites import sites_of_kinship
from allofus_spark.settings import load_settings
from allofus_spark.tables import RELATED_PAIRS, Warehouse, start_run

from .conftest import Cohort
from .engine import ingest

pytestmark = pytest.mark.long


Pairs = dict[tuple[str, str], tuple[float, ...]]
_OF_PLINK = ("NSNP", "HETHET", "IBS0", "HET1_HOM2", "HET2_HOM1")


def chosen_sites(warehouse: Warehouse) -> list[str]:
    with start_run(warehouse, "sites") as run:
        people = choose_people(active_samples(warehouse, run), None)
        rows = sites_of_kinship(run, people).to_pylist()
    return ["{contig}:{position}:{ref}:{alt}".format(**row) for row in rows]


def our_pairs(warehouse: Warehouse) -> Pairs:
    """Kinship, sites, both het, IBS0, het of the first and of the second."""
    columns = ("kinship", "n_sites", "n_het_both", "n_ibs0", "n_het_1", "n_het_2")
    return {
        (row.sample_id_1, row.sample_id_2): tuple(row[name] for name in columns)
        for row in warehouse.read(RELATED_PAIRS).collect()
    }


def plink_pairs(plink2: str, vcf: Path, sites: list[str], least: float, folder: Path) -> Pairs:
    """The same by ``--make-king-table`` over these sites."""
    (folder / "sites.txt").write_text("\n".join(sites) + "\n")
    subprocess.run(
        [plink2, "--vcf", str(vcf), "--set-all-var-ids", "chr@:#:$r:$a", "--extract",
         str(folder / "sites.txt"), "--make-king-table", "counts", "cols=id,nsnp,hethet,ibs0,ibs1,kinship",
         "--king-table-filter", str(least), "--out", str(folder / "king")],
        check=True, capture_output=True,
    )  # fmt: skip
    pairs: Pairs = {}
    with (folder / "king.kin0").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            first, second = row["#IID1"], row["IID2"]
            # HET1_HOM2 is how often the second is het and the first hom: so the calls of its own input say.
            n, both, ibs0, het_2, het_1 = (int(row[name]) for name in _OF_PLINK)
            if first > second:
                first, second, het_1, het_2 = second, first, het_2, het_1
            pairs[first, second] = (float(row["KINSHIP"]), n, both, ibs0, both + het_1, both + het_2)
    return pairs


def assert_same(ours: Pairs, theirs: Pairs, least: float) -> None:
    """PLINK writes six digits, so that a pair at the threshold may be on either side of it."""
    for pair in ours.keys() ^ theirs.keys():
        assert abs({**ours, **theirs}[pair][0] - least) < 1e-5
    shared = ours.keys() & theirs.keys()
    assert {pair: ours[pair][1:] for pair in shared} == {pair: theirs[pair][1:] for pair in shared}
    apart = max(abs(ours[pair][0] - theirs[pair][0]) for pair in shared)
    assert apart <= 1e-5


def test_exomes(exomes: Cohort, oracle: Callable[[str], str], tmp_path: Path) -> None:
    """2,504 people of five continents, in three blocks, over five chunks of sites."""
    least = 0.015
    where = exomes.warehouse
    settings = load_settings(warehouse=where.root, overrides=[f"relatedness.min_kinship={least}"])
    warehouse = Warehouse(where.spark, settings)
    compute_relatedness(warehouse)
    ours = our_pairs(warehouse)
    assert len(ours) > 500
    theirs = plink_pairs(oracle("plink2"), exomes.files[0], chosen_sites(warehouse), least, tmp_path)
    assert_same(ours, theirs, least)


def test_missing_calls(
    new_warehouse: Callable[..., Warehouse], oracle: Callable[[str], str], tmp_path: Path
) -> None:
    """One call in twenty is missing, more of it in some samples; blocks of 64 over three chunks of sites."""
    rng = np.random.default_rng(8)
    n_sites, n_samples = 9_001, 130
    p = rng.uniform(0.05, 0.95, (n_sites, 1))
    calls = rng.binomial(2, p, (n_sites, n_samples))
    mothers = rng.integers(0, n_samples // 2, n_samples // 2)
    of_mother = calls[:, mothers]
    inherited = of_mother // 2 + (rng.random(of_mother.shape) < 0.5) * (of_mother == 1)
    calls[:, n_samples // 2 :] = inherited + (rng.random(of_mother.shape) < p)
    calls[rng.random(calls.shape) < rng.uniform(0, 0.1, n_samples)] = 3
    texts = np.array(["0/0", "0/1", "1/1", "./."])
    fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=chr2>"]
    lines.append("\t".join((*fixed, *(f"s{number}" for number in range(n_samples)))))
    lines += [
        "\t".join(["chr2", str(site + 1), ".\tC\tT\t.\tPASS\t.\tGT", *texts[row]])
        for site, row in enumerate(calls)
    ]
    vcf = tmp_path / "missing.vcf"
    vcf.write_text("\n".join(lines) + "\n")
    warehouse = new_warehouse(
        "sites.min_call_rate=0.5", "relatedness.block_samples=64", "relatedness.min_kinship=0.01"
    )
    ingest(warehouse, vcf, build="GRCh38")
    compute_relatedness(warehouse)
    ours = our_pairs(warehouse)
    assert len(ours) > n_samples // 2
    assert len({pair[1] for pair in ours.values()}) > 20
    theirs = plink_pairs(oracle("plink2"), vcf, chosen_sites(warehouse), 0.01, tmp_path)
    assert_same(ours, theirs, 0.01)
