"""``variant_qc`` and ``sample_qc`` of all active callsets: what changed since they were judged.

Calls are read once for each table: a variant's row and the sums of its samples have no part in common that
would be worth keeping between the two. Each callset is judged by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import functions as F

from allofus_spark.cohort import (
    Slot,
    active_samples,
    check_are_active,
    kept_by_relatedness,
    kept_of,
    present,
    rows_of_widest,
    warehouse_build,
)
from allofus_spark.genome import Build
from allofus_spark.qc.groups import build_groups
from allofus_spark.qc.inputs import stale_samples, stale_variants
from allofus_spark.qc.new_alleles import NewAlleles, new_alleles
from allofus_spark.qc.sample_flags import SampleFlags, samples_beside_sums
from allofus_spark.qc.sample_sums import SampleSums, sex_places, sums_by_sample
from allofus_spark.qc.variant_flags import VariantFlags, metrics_beside_sites
from allofus_spark.qc.variant_metrics import VariantMetrics, rows_to_assess
from allofus_spark.tables import (
    BY_HAND,
    GENOTYPES,
    NOVELTY,
    SAMPLE_QC,
    SAMPLES,
    VARIANT_SITES,
    ArrowWrite,
    Recipe,
    Run,
    Warehouse,
    rows_per_batch,
    start_run,
    variant_qc,
)
from allofus_spark.tables.qc_tables import (
    SAMPLE_NOT_ASSESSED,
    SAMPLE_REASONS,
    VARIANT_NOT_ASSESSED,
    VARIANT_REASONS,
)

Samples = Mapping[str, Sequence[Slot]]


def compute_qc(
    warehouse: Warehouse,
    *,
    unrelated: Collection[str] | None = None,
    assume_unrelated: bool = False,
    catalogue_set: str | None = None,
    recompute: bool = False,
) -> dict[str, int]:
    """Compute the quality of variants and samples where it changed, and record a snapshot.

    Parameters
    ----------
    unrelated
        Sample ids that Hardy-Weinberg tests are made among, as are those of excess heterozygosity. None:
        those that the table ``unrelated`` keeps.
    assume_unrelated
        All samples are taken for unrelated. Where nobody is known to be, Hardy-Weinberg columns are null, and
        excess heterozygosity is tested among all samples.
    catalogue_set
        Set of catalogues, by which ``flag_novelty`` was run, whose missing alleles are counted by sample.
    recompute
        Judge everything anew, whether or not anything changed.

    Returns
    -------
    The run's counters: callsets, partitions of variants and callsets of samples judged now, samples,
    variants, and how many have each reason; and as
    ``hardy_weinberg_ANCESTRY`` the samples that the test was made among, absent where nobody is known to be
    unrelated.

    Raises BadSource where the warehouse holds no callset, or not the catalogue set; BadSamples where an id of
    ``unrelated`` is in no active callset, or a label is not a group of the settings; ContractViolation where
    ``genotypes`` and ``variant_sites`` are not one to one.
    """
    asked = {"assume_unrelated": assume_unrelated, "catalogue_set": catalogue_set}
    recipe = Recipe(parameters=asked) if unrelated is None else BY_HAND
    with start_run(warehouse, "compute_qc", recipe) as run:
        samples = active_samples(warehouse, run)
        chosen = _unrelated(run, samples, unrelated, assume_unrelated)
        build = warehouse_build(warehouse)
        with rows_per_batch(warehouse.spark, rows_of_widest(warehouse, map(len, samples.values()))):
            _write_variants(run, samples, chosen, build, recompute=recompute)
            _write_samples(run, samples, build, new_alleles(run, catalogue_set), recompute=recompute)
        _count_reasons(run)
        return dict(run.counters)


def _unrelated(
    run: Run, samples: Samples, unrelated: Collection[str] | None, assume_unrelated: bool
) -> frozenset[str] | None:
    """The ids of unrelated samples: those given, else those of the table ``unrelated``; None: not known."""
    everyone = frozenset(sample.sample_id for slots in samples.values() for sample in present(slots))
    run.counters["callsets"] = len(samples)
    if assume_unrelated:
        unrelated = everyone
    if unrelated is None and (kept := kept_by_relatedness(run, everyone)) is not None:
        unrelated = kept_of(run, kept, everyone, left_out_of="Hardy-Weinberg tests")
    if unrelated is None:
        run.progress(
            "warning: no list of unrelated samples: Hardy-Weinberg tests are left out; run relatedness, give "
            "--unrelated FILE, or --assume-unrelated where nobody is related"
        )
        return None
    check_are_active(unrelated, samples)
    run.counters["samples_unrelated"] = len(set(unrelated))
    return frozenset(unrelated)


def _write_variants(
    run: Run, samples: Samples, unrelated: frozenset[str] | None, build: Build, *, recompute: bool
) -> None:
    settings = run.warehouse.settings
    ancestries = settings.frequencies.ancestry_groups
    groups = {
        callset_id: build_groups(callset_id, members, ancestries, unrelated)
        for callset_id, members in samples.items()
    }
    if unrelated is not None:
        for number, name in enumerate(ancestries):
            run.counters[f"hardy_weinberg_{name}"] = sum(
                int(each.n_tested[number]) for each in groups.values()
            )
    table = variant_qc(ancestries)
    part = stale_variants(run, table, samples, unrelated, recompute=recompute)
    run.counters["partitions_judged"] = part.n_stale
    if part.is_current:
        run.progress("nothing changed since the quality of variants was judged")
        return
    metrics = VariantMetrics(groups, build, ancestries, unrelated is not None)
    genotypes = rows_to_assess(run.read(GENOTYPES).where(part.judged), samples)
    source = metrics_beside_sites(genotypes, run.read(VARIANT_SITES).where(part.judged), metrics, table)
    flags = VariantFlags(table.name, metrics, settings.qc)
    run.write(ArrowWrite(source, flags, [(table, part.replaced)]), part.record())


def _write_samples(
    run: Run, samples: Samples, build: Build, new: NewAlleles | None, *, recompute: bool
) -> None:
    part = stale_samples(run, samples, new.catalogue_set if new else None, recompute=recompute)
    run.counters["callsets_judged"] = part.n_stale
    if part.is_current:
        run.progress("nothing changed since the quality of samples was judged")
        return
    genotypes = rows_to_assess(run.read(GENOTYPES).where(part.judged), samples)
    sexes = {callset_id: sex_places(members) for callset_id, members in samples.items()}
    rows = new.beside(genotypes, run.read(NOVELTY)) if new and run.warehouse.exists(NOVELTY) else genotypes
    sums = sums_by_sample(rows, SampleSums(sexes, build, new))
    judged = list(samples) if part.everything else list(part.stale)
    source = samples_beside_sums(run.read(SAMPLES), sums, judged)
    flags = SampleFlags(run.warehouse.settings.qc, new.catalogue_set if new else None)
    run.write(ArrowWrite(source, flags, [(SAMPLE_QC, part.replaced)]), part.record())


def _count_reasons(run: Run) -> None:
    """Count the rows of both tables, and those with each reason, from the tables as written."""
    variants = variant_qc(run.warehouse.settings.frequencies.ancestry_groups)
    frames = []
    for noun, table, flags, gaps in (
        ("variants", variants, VARIANT_REASONS, VARIANT_NOT_ASSESSED),
        ("samples", SAMPLE_QC, SAMPLE_REASONS, SAMPLE_NOT_ASSESSED),
    ):
        names = [noun, *(f"{noun}_flagged_{name}" for name in flags)]
        names += [f"{noun}_not_assessed_{name}" for name in gaps]
        run.counters.update(dict.fromkeys(names, 0))
        frames.append(run.warehouse.live(table).select(F.lit(noun), "reasons", "not_assessed"))
    alike = frames[0].unionAll(frames[1]).toDF("noun", "flagged", "not_assessed")
    for noun, flagged, not_assessed, count in alike.groupBy(*alike.columns).count().collect():
        names = [noun, *(f"{noun}_flagged_{name}" for name in flagged)]
        for name in [*names, *(f"{noun}_not_assessed_{name}" for name in not_assessed)]:
            run.counters[name] += count
