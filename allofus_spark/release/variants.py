"""The product ``variants``: frequencies by ancestry with what is withheld, novelty and consequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import batch_of, flagged_names
from allofus_spark.genome import DIPLOID, Build, ploidy_regions
from allofus_spark.published import ALL, variants
from allofus_spark.published.names import variant_names
from allofus_spark.release.cells import Counts, Earlier, Shown
from allofus_spark.release.closure import Ints
from allofus_spark.release.parts import Made
from allofus_spark.release.withhold import withhold
from allofus_spark.tables import ALLELE_KEY

_FIELDS = ("ac", "an", "n_hom")
_IN_RELEASES = ("contig", "position", "ref", "alt")
_ABOUT = ("gene_symbol", "gene_id", "transcript_id", "impact", "aa_change", "is_coding")


def variant_rows(
    frequencies: DataFrame,
    alleles: DataFrame,
    novelty: DataFrame,
    consequences: DataFrame,
    earlier: Sequence[DataFrame],
    *,
    groups: Sequence[str],
) -> DataFrame:
    """True counts of each allele that somebody carries, and all that is said of it. Grain: allele.

    Joins are one to one; ``novelty`` is of one catalogue set, ``consequences`` of one annotator. Cells that
    the release of place k in ``earlier`` shows have the prefix ek_.
    """
    key = list(ALLELE_KEY)
    rows = frequencies.where(F.col("overall.ac") > 0).select(*key, "variant_id", *_cells(groups))
    worst = consequences.where("is_most_severe").select(
        *key, *_ABOUT, F.get("terms", F.lit(0)).alias("consequence")
    )
    rows = (
        rows.join(alleles.select(*key, "variant_type"), key)
        .join(novelty.select(*key, F.col("status").alias("novelty"), rs_ids().alias("rsids")), key, "left")
        .join(worst, key, "left")
    )
    for place, release in enumerate(earlier):
        rows = rows.join(_as_earlier(release, place, groups), list(_IN_RELEASES), "left")
    return rows.withColumn("rsids", F.coalesce("rsids", F.array().cast("array<string>")))


def _cells(groups: Sequence[str]) -> list[Column]:
    return [
        F.col(f"{'overall' if group == ALL else group}.{name}").alias(f"{group}_{name}")
        for group in (ALL, *groups)
        for name in (*_FIELDS, "af", "faf95")
    ]


def _as_earlier(release: DataFrame, place: int, groups: Sequence[str]) -> DataFrame:
    shown = [
        F.coalesce(f"{group}_{name}", F.lit(-1)).alias(f"e{place}_{group}_{name}")
        for group in (ALL, *groups)
        for name in _FIELDS
    ]
    return release.select(*_IN_RELEASES, *shown)


def rs_ids() -> Column:
    """Distinct rs numbers of a row of ``novelty``, the lowest first."""
    ids = F.split(F.array_join(F.col("reports.known_id"), ";"), ";")
    numbers = F.transform(
        F.filter(ids, lambda known: known.rlike("^rs[0-9]{1,18}$")),
        lambda known: F.substring(known, 3, 18).cast("long"),
    )
    return F.transform(F.array_sort(F.array_distinct(numbers)), lambda number: F.concat(F.lit("rs"), number))


@dataclass(frozen=True)
class WithholdCells:
    """Batches of `variant_rows` to those of the product; goes to the workers by pickle.

    ``people`` are participants of ``all`` and each group, ``people_then`` those of each earlier release, -1
    where it does not show them. Of the variants ``told_of``, named as by `variant_names`, no cell is shown.
    Counters: cells withheld by column, and, for the share of variants that keep
    their frequency, ``carried_GROUP`` and ``kept_GROUP``.
    """

    groups: tuple[str, ...]
    build: Build
    floor: int
    everything: bool
    people: tuple[int, ...]
    people_then: tuple[tuple[int, ...], ...]
    told_of: frozenset[str] = frozenset()

    def __call__(self, batch: pa.RecordBatch) -> Made:
        counts = self.counts(batch)
        earlier = [self._earlier(batch, place) for place in range(len(self.people_then))]
        if self.everything:
            all_of_it = np.ones(counts.ac.shape, np.bool_)
            shown = Shown(all_of_it, all_of_it, all_of_it)
        else:
            shown = self._less(batch, withhold(counts, self.floor, earlier))
        return self._rows(batch, counts, shown), self._counters(counts, shown)

    def _less(self, batch: pa.RecordBatch, shown: Shown) -> Shown:
        """Without any cell of the variants ``told_of``."""
        if not self.told_of:
            return shown
        names = variant_names(*(batch.column(name) for name in _IN_RELEASES))
        kept = ~np.isin(np.asarray(names), list(self.told_of))[:, None]
        return Shown(shown.ac & kept, shown.an, shown.n_hom & kept)

    def counts(self, batch: pa.RecordBatch) -> Counts:
        """True counts of a batch."""
        regions = ploidy_regions(batch.column("contig"), batch.column("position"), self.build)
        cells = {name: self._matrix(batch, name) for name in _FIELDS}
        return Counts(**cells, diploid=regions == DIPLOID, people=np.array(self.people, np.int64))

    def _earlier(self, batch: pa.RecordBatch, place: int) -> Earlier:
        prefix = f"e{place}_"
        cells = {name: self._matrix(batch, name, prefix) for name in _FIELDS}
        present = np.asarray(batch.column(f"{prefix}{ALL}_ac").is_valid())
        return Earlier(**cells, present=present, people=np.array(self.people_then[place], np.int64))

    def _matrix(self, batch: pa.RecordBatch, name: str, prefix: str = "") -> Ints:
        """int64[rows, 1 + groups] of a field; -1 where null."""
        columns = [batch.column(f"{prefix}{group}_{name}").fill_null(-1) for group in (ALL, *self.groups)]
        return np.stack([np.asarray(column, np.int64) for column in columns], axis=1)

    def _rows(self, batch: pa.RecordBatch, counts: Counts, shown: Shown) -> pa.RecordBatch:
        names = (ALL, *self.groups)
        columns = {name: batch.column(name) for name in batch.schema.names}
        frequencies = []
        for place, group in enumerate(names):
            of_ac = pa.array(~shown.ac[:, place])
            for name, mask in (("ac", shown.ac), ("an", shown.an), ("n_hom", shown.n_hom)):
                values = getattr(counts, name)[:, place]
                columns[f"{group}_{name}"] = pa.array(values, mask=~mask[:, place])
            for name in ("af", "faf95"):
                column = batch.column(f"{group}_{name}")
                columns[f"{group}_{name}"] = pa.compute.if_else(of_ac, pa.scalar(None, pa.float64()), column)
            frequencies.append(np.asarray(columns[f"{group}_af"].fill_null(-1.0)))
        columns["withheld"] = flagged_names(~shown.ac, names)
        columns |= _highest(np.stack(frequencies[1:], axis=1), self.groups)
        return batch_of([column.name for column in variants(self.groups).columns], columns)

    def _counters(self, counts: Counts, shown: Shown) -> Mapping[str, int]:
        counters: dict[str, int] = {}
        for place, group in enumerate((ALL, *self.groups)):
            for name, mask in (("ac", shown.ac), ("an", shown.an), ("n_hom", shown.n_hom)):
                counters[f"{group}_{name}"] = int((~mask[:, place]).sum())
            carried = counts.ac[:, place] > 0
            counters[f"carried_{group}"] = int(carried.sum())
            counters[f"kept_{group}"] = int((carried & shown.ac[:, place]).sum())
        return counters


def _highest(frequencies: npt.NDArray[np.float64], groups: Sequence[str]) -> dict[str, pa.Array]:
    """max_af and its group of frequencies [rows, groups], in which -1 is not shown."""
    place = frequencies.argmax(axis=1)
    highest = frequencies[np.arange(len(place)), place]
    none = highest < 0
    names = pa.array(list(groups), pa.string()).take(pa.array(place, mask=none))
    return {"max_af": pa.array(highest, mask=none), "max_af_group": names}
