"""The active callsets of a warehouse, their samples and their build."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.cohort.strata import Sample, Slot, present
from allofus_spark.errors import BadSamples, BadSource, BuildMismatch, NotFound, shown
from allofus_spark.genome import Build, ReferenceSequence, build_as_text, build_from_text
from allofus_spark.genotypes import rows_that_fit
from allofus_spark.tables import BUILD_PROPERTY, CALLSETS, SAMPLES, Reader, Warehouse, ancestries


def active_callsets(tables: Reader) -> list[str]:
    """Ids of the callsets that are not retired, sorted."""
    return sorted(row.callset_id for row in tables.rows(CALLSETS) if row.retired_by is None)


def in_genotypes(callset_ids: Collection[str]) -> Column:
    """Whether a row of ``samples`` is of one of the callsets and has genotypes there."""
    return F.col("callset_id").isin(list(callset_ids)) & F.col("sample_index").isNotNull()


def samples_in_genotypes(tables: Reader) -> DataFrame:
    """Rows of ``samples`` that have genotypes in an active callset; there must be one."""
    return tables.read(SAMPLES).where(in_genotypes(active_callsets(tables)))


def ids_in_genotypes(tables: Reader) -> set[str]:
    """Ids of the samples of active callsets that have genotypes; none where no callset is active."""
    if not active_callsets(tables):
        return set()
    return {row.sample_id for row in samples_in_genotypes(tables).select("sample_id").collect()}


def sample_rows(tables: Reader, callset_ids: Collection[str]) -> list[Row]:
    """The same of some callsets as rows that the driver holds, each callset's in its order.

    The slot of a person who withdrew has no row: a row's place in the list is not its ``sample_index``.
    """
    rows = [
        row for row in tables.rows(SAMPLES) if row.callset_id in callset_ids and row.sample_index is not None
    ]
    return sorted(rows, key=lambda row: (row.callset_id, row.sample_index))


def callset_rows(tables: Reader, callset_id: str) -> list[Row]:
    """`sample_rows` of one callset; raises NotFound where it is not active."""
    active = active_callsets(tables)
    if callset_id not in active:
        raise NotFound(f"callset {callset_id} is not active here; there are: {shown(active) or 'none'}")
    return sample_rows(tables, [callset_id])


def callset_sizes(tables: Reader) -> dict[str, int]:
    """Slots in the genotypes of each callset, by id; also of those that are retired."""
    return {row.callset_id: row.n_samples for row in tables.rows(CALLSETS)}


def active_samples(warehouse: Warehouse, tables: Reader) -> dict[str, list[Slot]]:
    """Slots of each active callset, in callset order, with the label that counts by ``ancestry.labels``.

    A slot is None where its person withdrew. Raises BadSource where no callset is active.
    """
    active = active_callsets(tables)
    if not active:
        raise BadSource(f"warehouse {warehouse.root} holds no callset; run ingest-genotypes first")
    sizes = callset_sizes(tables)
    samples: dict[str, list[Slot]] = {callset_id: [None] * sizes[callset_id] for callset_id in active}
    label_of = labels_in_use(warehouse, tables)
    for row in sample_rows(tables, active):
        samples[row.callset_id][row.sample_index] = Sample(row.sample_id, label_of(row), row.sex_karyotype)
    return samples


def labels_in_use(warehouse: Warehouse, tables: Reader) -> Callable[[Row], str | None]:
    """The ancestry that counts for a row of ``samples``: supplied, inferred, or the first that there is."""
    labels = warehouse.settings.ancestry.labels
    if labels == "supplied":
        return lambda row: row.ancestry  # type: ignore[no-any-return]
    inferred = inferred_labels(warehouse, tables)
    if labels == "inferred":
        return lambda row: inferred.get((row.callset_id, row.sample_id))
    return lambda row: row.ancestry or inferred.get((row.callset_id, row.sample_id))


def inferred_labels(warehouse: Warehouse, tables: Reader) -> dict[tuple[str, str], str | None]:
    """The inferred ancestry by callset and sample id; empty where none was inferred."""
    groups = warehouse.settings.frequencies.ancestry_groups
    table = ancestries(groups)
    rows = (
        tables.read(table).select("callset_id", "sample_id", "ancestry").collect()
        if tables.holds(table)
        else []
    )
    return {(callset_id, sample_id): ancestry for callset_id, sample_id, ancestry in rows}


def check_are_active(sample_ids: Collection[str], samples: Mapping[str, Sequence[Slot]]) -> None:
    """Raise BadSamples naming the ids that are in no active callset."""
    known = {sample.sample_id for slots in samples.values() for sample in present(slots)}
    unknown = sorted(set(sample_ids) - known)
    if unknown:
        raise BadSamples(
            f"{len(unknown)} of {len(sample_ids)} sample ids are in no active callset: {shown(unknown)}"
        )


def warehouse_build(warehouse: Warehouse) -> Build:
    """The build that the warehouse holds."""
    held = warehouse.table_property(BUILD_PROPERTY)
    if held is None:
        raise BadSource(f"warehouse {warehouse.root} holds no callset; run ingest-genotypes first")
    return build_from_text(held)


def check_build(warehouse: Warehouse, build: Build) -> None:
    """Raise BuildMismatch unless the warehouse holds nothing of a build yet, or ``build``."""
    held = warehouse.table_property(BUILD_PROPERTY)
    if held is None or held == build_as_text(build):
        return
    name = build_from_text(held).name
    other = "other contigs under that name" if name == build.name else f"build {name}"
    raise BuildMismatch(
        f"warehouse {warehouse.root} holds {other}, the source is {build.name}: "
        "one warehouse holds one build; name another with --warehouse"
    )


def configured_reference(warehouse: Warehouse, build: Build) -> ReferenceSequence | None:
    """The FASTA of the settings, held against the build; None where none is set."""
    fasta = warehouse.settings.genome.reference_fasta
    return ReferenceSequence(fasta, build) if fasta else None


def rows_of_widest(warehouse: Warehouse, n_samples: Iterable[int]) -> int:
    """Genotype rows in one batch, of the widest of callsets with ``n_samples``."""
    return rows_that_fit(max(n_samples, default=0), warehouse.settings.ingest.batch_bytes)
