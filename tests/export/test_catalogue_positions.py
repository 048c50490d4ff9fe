"""``--positions-of``: which alleles lie at the positions of a version of a catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from allofus_spark.errors import BadSource
from allofus_spark.tables import CATALOGUES, KNOWN_VARIANTS, VARIANT_SITES, RowsWrite, Warehouse, start_run
from tests.reference.engine import keys_of, read_rows

from .conftest import Export
from .test_export import exported_keys, genomic

# Alleles at positions of the cohort, the same or others, and one that the cohort lacks.
KNOWN = {
    ("clinvar", "1"): [("chr2", 900, "A", "G"), ("chr2", 2_000, "T", "C"), ("chr2", 901, "C", "A")],
    ("clinvar", "2"): [("chr2", 5_001, "C", "T"), ("chr7", 900, "A", "G")],
}


@pytest.fixture(scope="module")
def known(cohort: Warehouse) -> Warehouse:
    def catalogue(name: str, version: str) -> tuple[Any, ...]:
        return (name, version, None, "GRCh38", "", [], None, [], 3, 3, 0, 0)

    rows = [
        (*of, contig, position // cohort.bin_width_bases, position, ref, alt, None)
        for of, alleles in KNOWN.items()
        for contig, position, ref, alt in alleles
    ]
    with start_run(cohort, "know") as run:
        run.write(RowsWrite(CATALOGUES, [catalogue(*of) for of in KNOWN]), RowsWrite(KNOWN_VARIANTS, rows))
    return cohort


def test_alleles_at_the_catalogue_s_positions(known: Warehouse, export: Export) -> None:
    path, counters = export("pgen", known, positions_of="clinvar=1")
    positions = {(contig, position) for contig, position, _, _ in KNOWN["clinvar", "1"]}
    sites = read_rows(known, VARIANT_SITES)
    wanted = [key for key in keys_of(sites) if key[:2] in positions]
    assert exported_keys(path.with_suffix(".pvar")) == genomic(wanted)
    assert [key[1] for key in genomic(wanted)] == [900, 2_000, 2_000]
    assert counters["variants"] == 3


def test_together_with_regions_and_passing_sites(known: Warehouse, export: Export) -> None:
    path, _ = export("pgen", known, positions_of="clinvar=1", regions=["chr2:1500-5001"], pass_only=True)
    sites = read_rows(known, VARIANT_SITES)
    filters = dict(zip(keys_of(sites), sites["filters"].to_pylist(), strict=True))
    wanted = [key for key, names in filters.items() if key[:2] == ("chr2", 2_000) and not names]
    assert exported_keys(path.with_suffix(".pvar")) == genomic(wanted)
    with pytest.raises(BadSource, match="no allele of callset c is selected"):
        export("pgen", known, positions_of="clinvar=2", regions=["chr2:1-900"])


def test_an_unknown_catalogue_is_named_with_those_there_are(known: Warehouse, export: Export) -> None:
    with pytest.raises(BadSource, match="no such catalogue, there are clinvar=1, clinvar=2; write CAT"):
        export("pgen", known, positions_of="clinvar")
