"""Real genomes out of which some withdrew, against bcftools on the same file without their columns."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.tables import VARIANT_SITES, Warehouse, allele_frequencies
from allofus_spark.withdrawal import purge_withdrawn, withdraw_samples

from .engine import ingest

pytestmark = pytest.mark.long

FILE = "1kgp_hc_3202_chr1_10390-66441.grch38.vcf.gz"
# The first two are the only carriers of three alleles; the third shares with others all that it carries.
LEAVING = ("HG00285", "HG03687", "NA20847")
Allele = tuple[int, str, str, int]
"""POS, REF and ALT as written, and the number of the allele in ALT."""


def allele_counts(bcftools: str, path: Path, *without: str) -> dict[Allele, tuple[int, int]]:
    """AC and AN of each allele by bcftools, without some samples."""
    samples = ["-s", "^" + ",".join(without)] if without else []
    view = [bcftools, "view", "-Ou", *samples, str(path)]
    fill = [bcftools, "+fill-tags", "-Ou", "--", "-t", "AC,AN"]
    query = [bcftools, "query", "-f", "%POS\t%REF\t%ALT\t%AC\t%AN\n"]
    viewed = subprocess.run(view, check=True, capture_output=True).stdout
    filled = subprocess.run(fill, input=viewed, check=True, capture_output=True).stdout
    text = subprocess.run(query, input=filled, check=True, capture_output=True).stdout.decode()
    found = {}
    for line in text.splitlines():
        position, ref, alts, counts, an = line.split("\t")
        for number, ac in enumerate(counts.split(","), 1):
            found[int(position), ref, alts, number] = int(ac), int(an)
    return found


def stored_counts(warehouse: Warehouse) -> dict[Allele, tuple[int, int]]:
    """The same of the tables: counts beside the record that each allele comes from."""
    key = ["contig", "bin", "position", "ref", "alt"]
    frequencies = warehouse.read(allele_frequencies(warehouse.settings.frequencies.ancestry_groups))
    rows = warehouse.read(VARIANT_SITES).join(frequencies, key)
    columns = ("input_position", "input_ref", "input_alts", "input_allele", "overall.ac", "overall.an")
    return {tuple(row[:4]): (row[4], row[5]) for row in rows.select(*columns).collect()}


def test_what_is_left_is_the_file_without_the_samples(
    warehouse: Warehouse, realdata: Path, oracle: Callable[[str], str]
) -> None:
    path, bcftools = realdata / "multisample" / FILE, oracle("bcftools")
    ingest(warehouse, path, build="GRCh38")
    compute_frequencies(warehouse)
    whole, stored = allele_counts(bcftools, path), stored_counts(warehouse)
    assert stored == {allele: whole[allele] for allele in stored}

    withdraw_samples(warehouse, LEAVING)
    compute_frequencies(warehouse)
    assert [check for check in purge_withdrawn(warehouse) if not check.passed] == []

    others = allele_counts(bcftools, path, *LEAVING)
    gone = {allele for allele in stored if whole[allele][0] > 0 and others[allele][0] == 0}
    assert len(gone) >= 3
    assert stored_counts(warehouse) == {allele: others[allele] for allele in stored if allele not in gone}
