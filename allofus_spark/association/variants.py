"""Which variants are scanned: all, those of regions, or those of a list."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import runs_of
from allofus_spark.delimited import read_text
from allofus_spark.errors import BadSource, shown
from allofus_spark.genome import Build, parse_variant_id
from allofus_spark.genome.regions import Regions, read_regions
from allofus_spark.tables import ALLELE_KEY, KNOWN_VARIANTS, VARIANTS, Run

_KEY = ("contig", "position", "ref", "alt")
_SPAN = "contig string, bin int, first int, last int, n long"
_SPAN_SCHEMA = pa.schema(
    [("contig", pa.string()), *((name, pa.int32()) for name in ("bin", "first", "last")), ("n", pa.int64())]
)
_MOST_SPANS = 100  # in a predicate; with more, one a contig


@dataclass(frozen=True)
class Variants:
    """The chosen variants: ``condition`` is met by rows of ``genotypes`` that may be of them.

    ``keys`` are their alleles where they were listed; ``n`` how many there are over all callsets.
    """

    contigs: frozenset[str]
    n: int
    regions: Regions | None = None
    condition: Column | None = None
    keys: DataFrame | None = None

    def of(self, genotypes: DataFrame) -> DataFrame:
        """The rows of ``genotypes`` that may be of the variants; regions are looked at in tasks."""
        if self.condition is not None:
            genotypes = genotypes.where(self.condition)
        if self.keys is not None:
            genotypes = genotypes.join(F.broadcast(self.keys), list(_KEY), "left_semi")
        return genotypes


def choose_variants(
    run: Run, build: Build, *, regions: Sequence[str], regions_file: str | None, variants_file: str | None
) -> Variants:
    """The variants that lie in a region, where any is given, and are in the file, where one is.

    Raises BadSource where there is none, before any work is done.
    """
    within = read_regions(build, regions, regions_file)
    if within is None and variants_file is None and run.warehouse.local_root is not None:
        files = run.files(VARIANTS)
        if files:
            contigs = frozenset(file.partition["contig"] for file in files)
            return Variants(contigs, sum(file.rows for file in files))
    alleles = run.read(VARIANTS)
    keys = None
    if variants_file is not None:
        alleles = _listed(run, build, alleles, _read_names(variants_file), variants_file)
        keys = alleles.select(*_KEY)
    if within is not None:
        ends = {contig: int(last[-1]) for contig, (_, last) in within.of_contig.items()}
        inside = [(F.col("contig") == contig) & (F.col("position") <= last) for contig, last in ends.items()]
        alleles = alleles.where(reduce(operator.or_, inside))
    counted = alleles.select("contig", "bin", "position", "ref").mapInArrow(partial(_spans, within), _SPAN)
    spans = counted.groupBy("contig", "bin").agg(
        F.min("first").alias("first"), F.max("last").alias("last"), F.sum("n").alias("n")
    ).collect()  # fmt: skip
    if not spans:
        raise BadSource("no variant of the warehouse is chosen; widen the regions, or name others")
    is_part = within is not None or keys is not None
    return Variants(
        contigs=frozenset(row.contig for row in spans),
        n=sum(row.n for row in spans),
        regions=within,
        condition=_between([(row.contig, row.first, row.last) for row in spans]) if is_part else None,
        keys=keys,
    )


def _spans(regions: Regions | None, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """First and last position, and alleles, of each (contig, bin) of a batch."""
    for batch in batches:
        for (contig, number), rows in runs_of(batch, ("contig", "bin")):
            position = np.asarray(rows.column("position"))[lies_in(regions, contig, rows)]
            if len(position):
                found = {"contig": contig, "bin": number, "first": position.min(), "last": position.max()}
                yield pa.RecordBatch.from_pylist([{**found, "n": len(position)}], _SPAN_SCHEMA)


def lies_in(regions: Regions | None, contig: str, rows: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Which alleles of a contig, with position and ref, lie in a region."""
    if regions is None:
        return np.ones(len(rows), np.bool_)
    span = np.asarray(pc.binary_length(rows.column("ref")), np.int64)
    return regions.overlap(contig, np.asarray(rows.column("position"), np.int64), span)


def _between(spans: Sequence[tuple[str, int, int]]) -> Column:
    if len(spans) > _MOST_SPANS:
        by_contig: dict[str, tuple[int, int]] = {}
        for contig, first, last in spans:
            held = by_contig.get(contig, (first, last))
            by_contig[contig] = min(first, held[0]), max(last, held[1])
        spans = [(contig, *ends) for contig, ends in by_contig.items()]
    conditions = [
        (F.col("contig") == contig) & F.col("position").between(first, last) for contig, first, last in spans
    ]
    return reduce(operator.or_, conditions)


def _read_names(path: str) -> list[str]:
    names = [line.strip() for line in read_text(path).splitlines()]
    found = list(dict.fromkeys(name for name in names if name and not name.startswith("#")))
    if not found:
        raise BadSource(f"{path}: no variants in it; write one id a line, such as 22-19963748-G-A or rs4680")
    return found


def _listed(run: Run, build: Build, alleles: DataFrame, names: Sequence[str], path: str) -> DataFrame:
    """The alleles of a list of variant ids and ids of catalogues, which are few enough for the driver."""
    spark = run.warehouse.spark
    ids = {_canonical(build, name): name for name in names}
    wanted = spark.createDataFrame(list(ids.items()), "variant_id string, name string")
    by_id = alleles.join(F.broadcast(wanted), "variant_id").select("name", *ALLELE_KEY)
    if run.holds(KNOWN_VARIANTS):
        known = spark.createDataFrame([(name,) for name in names], "known_id string")
        at = run.read(KNOWN_VARIANTS).join(F.broadcast(known), "known_id")
        at = at.select(F.col("known_id").alias("name"), *ALLELE_KEY).distinct()
        by_id = by_id.unionByName(alleles.join(F.broadcast(at), list(ALLELE_KEY)).select("name", *ALLELE_KEY))
    found = by_id.distinct().collect()
    missing = sorted(set(names) - {row.name for row in found})
    if missing:
        run.counters["variants_not_found"] = len(missing)
        run.progress(
            f"warning: {len(missing):,} of {len(names):,} variants of {path} are not in the warehouse: "
            f"{shown(missing)}"
        )
    if not found:
        raise BadSource(f"{path}: none of its {len(names):,} variants is in the warehouse: {shown(missing)}")
    keys = sorted({(row.contig, row.bin, row.position, row.ref, row.alt) for row in found})
    return spark.createDataFrame(keys, "contig string, bin int, position int, ref string, alt string")


def _canonical(build: Build, name: str) -> str:
    """A variant id as the warehouse writes it; another text as it is."""
    parts = parse_variant_id(name)
    if parts is None:
        return name
    contig, position, ref, alt = parts
    return build.variant_id(build.canonical_contig(contig), position, ref.upper() if ref.isalpha() else ref,
                            alt.upper() if alt.isalpha() else alt)  # fmt: skip
