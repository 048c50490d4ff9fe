"""The folder of an invented release: every product, and its manifest."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from allofus_spark.published import FORMAT, MANIFEST, Manifest, ReleasedProduct, products
from benchmarks.synthetic.alleles import Contig, consequences_of, make_contigs, variants_of
from benchmarks.synthetic.lookups import genes_of, rsids_of
from benchmarks.synthetic.people import (
    FLOOR,
    ROUND_TO,
    access_times,
    ancestry_density,
    groups,
    representation,
)
from benchmarks.synthetic.scans import (
    association_summaries,
    associations_of,
    meta_associations_of,
    phenotypes,
    replication_summary,
    replications_of,
    variant_counts,
)
from benchmarks.synthetic.shape import write_product

GROUPS = ("afr", "amr", "eas", "eur", "mid", "sas", "oth")
GENOME_WIDE_P = 5e-8
SIZES = (23_000, 18_500, 2_150, 54_000, 420, 1_150, 6_900)


def write_release(
    folder: Path,
    *,
    n_variants: int,
    seed: int = 1,
    group_rows: int = 4_096,
    without: Collection[str] = (),
    version: str = "v8",
) -> Manifest:
    """Write a release of about ``n_variants`` to ``folder``, without the products of ``without``.

    ``group_rows``: rows of a Parquet row group. The same seed gives the same release.
    """
    contigs = list(make_contigs(n_variants, seed))
    written = _write_products(folder, contigs, seed, group_rows, frozenset(without))
    manifest = Manifest(
        format=FORMAT,
        release=version,
        created="2026-01-01T00:00:00+00:00",
        build="GRCh38",
        groups=list(GROUPS),
        floor=FLOOR,
        round_to=ROUND_TO,
        previous=[],
        snapshot_id=1,
        package_version="0.1.0",
        settings_hash="0" * 64,
        products=written,
        genome_wide_p=GENOME_WIDE_P,
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return manifest


def _write_products(
    folder: Path, contigs: list[Contig], seed: int, group_rows: int, without: frozenset[str]
) -> list[ReleasedProduct]:
    by_name = {table.name: table for table in products(GROUPS)}
    rng = np.random.default_rng((seed, 99))
    variants = by_name["variants"]
    parts = {
        "variants": (variants_of(contig, variants, GROUPS, SIZES, FLOOR, rng) for contig in contigs),
        "consequences": (consequences_of(contig, rng) for contig in contigs),
        "rsids": [rsids_of(by_name["rsids"], contigs)],
        "genes": [genes_of(by_name["genes"], contigs)],
        "groups": [groups(by_name["groups"], GROUPS, SIZES)],
        "variant_counts": [variant_counts(by_name["variant_counts"], GROUPS, rng)],
        "phenotypes": [phenotypes(by_name["phenotypes"], GROUPS)],
        "associations": (associations_of(by_name["associations"], contig, rng) for contig in contigs),
        "meta_associations": (
            meta_associations_of(by_name["meta_associations"], contig, rng) for contig in contigs
        ),
        "association_summaries": [association_summaries(by_name["association_summaries"], GROUPS, rng)],
        "replications": [replications_of(by_name["replications"], contigs, GROUPS, rng)],
        "replication_summary": [replication_summary(by_name["replication_summary"], GROUPS)],
        "representation": [representation(by_name["representation"])],
        "ancestry_density": [ancestry_density(by_name["ancestry_density"], GROUPS, rng)],
        "access_times": [access_times(by_name["access_times"])],
    }
    return [
        write_product(folder, by_name[name], tables, group_rows=group_rows)
        for name, tables in parts.items()
        if name not in without
    ]
