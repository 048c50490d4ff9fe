"""Training of a model: the labelled samples of a callset to sites, loadings and a forest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.ancestry.decomposition import Components, exact_components, randomised_components
from allofus_spark.ancestry.forest import forest_bytes, grow_forest
from allofus_spark.ancestry.models import SITE_KEY, Model, model_writes, rows_of_model
from allofus_spark.ancestry.training_calls import TrainingCalls, fixed_signs, training_calls
from allofus_spark.cohort import (
    callset_rows,
    callset_sizes,
    choose_sites,
    rows_of_widest,
    site_rules,
    warehouse_build,
)
from allofus_spark.errors import BadSamples, BadSource, shown
from allofus_spark.genome import Build, build_as_text
from allofus_spark.settings import Settings
from allofus_spark.tables import (
    ANCESTRY_TRAINING,
    Recipe,
    RowsWrite,
    Run,
    Warehouse,
    check_name,
    rows_per_batch,
    start_run,
)

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

# An eigenvalue this small beside the first is rounding: there are not as many directions.
_LEAST_EIGENVALUE_SHARE = 1e-9
# Nor is there any beside which it would be, where nobody differs: the mean is otherwise about 1.
_LEAST_EIGENVALUE = 1e-12


@dataclass(frozen=True)
class TrainingSet:
    """Labelled samples of a callset: ``members`` int64[n], their rising indices; ids and labels likewise."""

    callset_id: str
    n_in_callset: int
    members: npt.NDArray[np.int64]
    sample_ids: tuple[str, ...]
    labels: tuple[str, ...]

    def of(self, is_chosen: npt.NDArray[np.bool_]) -> TrainingSet:
        """Some of them, bool[n]."""
        ids, labels = (tuple(compress(names, is_chosen)) for names in (self.sample_ids, self.labels))
        return replace(self, members=self.members[is_chosen], sample_ids=ids, labels=labels)


def train_model(
    warehouse: Warehouse, *, callset_id: str, name: str, sample_ids: Collection[str] | None = None
) -> tuple[str, dict[str, int]]:
    """Train a model on the labelled samples of a callset, and record a snapshot.

    Parameters
    ----------
    sample_ids
        Samples to train on, such as unrelated ones; None: all with a supplied label.

    Returns
    -------
    The model's id, and the run's counters: sites, samples of each label in the order of the settings, how
    many of them the trees that had not seen them name so (``out_of_bag_LABEL``), samples left out.

    Samples with calls at too few of the sites (``ancestry.min_called_share``) are left out, and counted.
    Training the same samples again gives the same id and replaces the rows. Raises NotFound where the callset
    is not active, BadSamples where too few samples or labels are left to train on, BadSource where there are
    too few sites.
    """
    check_name("model name", name)
    asked = {"callset_id": callset_id} if sample_ids is None else None
    with start_run(warehouse, "infer_ancestry_train", Recipe(name, asked)) as run:
        build = warehouse_build(warehouse)
        chosen = _training_set(run, callset_id, sample_ids)
        check_can_be_trained(chosen, warehouse.settings)
        with rows_per_batch(warehouse.spark, rows_of_widest(warehouse, [chosen.n_in_callset])):
            while isinstance(
                fitted := _fit(run, chosen, _sites(run, chosen, build), build, name), TrainingSet
            ):
                chosen = fitted
                check_can_be_trained(chosen, warehouse.settings)
            model, components = fitted
        run.write(*model_writes(model), _training_write(model.model_id, chosen, components))
        run.counters.update(sites=model.n_sites, principal_components=model.n_pcs)
        return model.model_id, dict(run.counters)


def _training_set(run: Run, callset_id: str, sample_ids: Collection[str] | None) -> TrainingSet:
    rows = callset_rows(run, callset_id)
    wanted = {row.sample_id for row in rows} if sample_ids is None else set(sample_ids)
    unknown = sorted(wanted - {row.sample_id for row in rows})
    if unknown:
        raise BadSamples(
            f"{len(unknown)} of {len(wanted)} sample ids are not in callset {callset_id}: {shown(unknown)}"
        )
    unassigned = run.warehouse.settings.frequencies.unassigned_group
    labelled = [row for row in rows if row.sample_id in wanted and row.ancestry not in (None, unassigned)]
    run.counters.update(
        samples_trained_on=len(labelled),
        samples_not_chosen=len(rows) - len(wanted),
        samples_without_label=sum(row.ancestry is None for row in rows if row.sample_id in wanted),
        samples_labelled_unassigned=sum(
            row.ancestry == unassigned for row in rows if row.sample_id in wanted
        ),
    )
    sizes = Counter(row.ancestry for row in labelled)
    run.counters.update({f"samples_{name}": sizes[name] for name in _in_order(run, sizes)})
    return TrainingSet(
        callset_id,
        callset_sizes(run)[callset_id],
        np.array([row.sample_index for row in labelled], np.int64),
        tuple(row.sample_id for row in labelled),
        tuple(row.ancestry for row in labelled),
    )


def _in_order(run: Run, labels: Collection[str]) -> list[str]:
    """The labels in the order of the settings; those that these do not have, last."""
    known = run.warehouse.settings.frequencies.ancestry_groups
    return [name for name in known if name in labels] + sorted(set(labels) - set(known))


def check_can_be_trained(chosen: TrainingSet, settings: Settings) -> None:
    """Raise BadSamples where labels or samples are too few, or a label is not in the settings."""
    groups, where = sorted(set(chosen.labels)), f"callset {chosen.callset_id}"
    if not groups:
        raise BadSamples(
            f"{where}: none of its {chosen.n_in_callset} samples that may be trained on has an ancestry "
            f"label; give labels with allofus ingest-samples --callset {chosen.callset_id} FILE"
        )
    known = settings.frequencies.ancestry_groups
    if strange := sorted(set(groups) - set(known)):
        raise BadSamples(
            f"{where}: labels that the settings do not have: {shown(strange)}. Known: {', '.join(known)}; "
            "correct the labels, or add the group to frequencies.ancestry_groups"
        )
    if len(groups) == 1:
        raise BadSamples(
            f"{where}: all {len(chosen.labels)} labelled samples are {groups[0]}, and one group cannot be "
            "told from others; give samples of two groups or more"
        )
    n, n_pcs = len(chosen.labels), settings.ancestry.n_pcs
    if n <= n_pcs:
        raise BadSamples(
            f"{where}: {n} labelled samples make {n - 1} principal components at most, not {n_pcs}; give "
            f"more samples, or lower the number with --set ancestry.n_pcs={n - 1}"
        )


def _sites(run: Run, chosen: TrainingSet, build: Build) -> pa.Table:
    settings = run.warehouse.settings
    rules = site_rules(settings.sites, settings.ancestry, leave_out_long_range_ld=True)
    run.progress("choosing sites")
    sizes = {chosen.callset_id: chosen.n_in_callset}
    sites = choose_sites(run, {chosen.callset_id: chosen.members}, sizes, build, rules)
    _check_enough(len(sites), settings.ancestry.n_pcs, chosen.callset_id)
    return sites


def _check_enough(n_sites: int, n_pcs: int, callset_id: str) -> None:
    if n_sites <= n_pcs:
        raise BadSource(
            f"callset {callset_id}: {n_sites} sites are left to tell people apart by, too few for {n_pcs} "
            "principal components; raise ancestry.max_r2, lower ancestry.min_maf or sites.min_call_rate, or "
            "lower ancestry.n_pcs"
        )


def _fit(
    run: Run, chosen: TrainingSet, sites: pa.Table, build: Build, name: str
) -> tuple[Model, Components] | TrainingSet:
    """The model; or, where samples have too few calls at the sites, the others, to choose sites among."""
    settings = run.warehouse.settings.ancestry
    run.progress(f"principal components of {len(chosen.members):,} samples over {len(sites):,} sites")
    with training_calls(run, sites, chosen.callset_id, chosen.members, chosen.n_in_callset) as calls:
        is_called = calls.n_called() / len(sites) >= settings.min_called_share
        if not is_called.all():
            return _without_few_called(run, chosen, is_called, settings.min_called_share)
        components = _components(calls, settings.n_pcs, settings.max_exact_samples)
        _check_rank(components, chosen.callset_id)
        loadings = calls.loadings(components.vectors / np.sqrt(components.eigenvalues))
    signs = fixed_signs(loadings)
    components = components.with_signs(signs)
    run.progress(f"growing a forest of {settings.n_trees} trees")
    forest = grow_forest(components.left_out_scores(), chosen.labels, settings)
    _count_out_of_bag(run, forest, components.left_out_scores(), chosen.labels)
    sizes = Counter(chosen.labels)
    model = Model(
        name=name,
        build=build_as_text(build),
        trained_on=chosen.callset_id,
        n_samples=len(chosen.members),
        groups=tuple(forest.classes_.tolist()),
        group_sizes=tuple(sizes[group] for group in forest.classes_.tolist()),
        sites=sites.select(["site", *SITE_KEY]),
        frequency=calls.frequency,
        loadings=loadings * signs,
        eigenvalues=components.eigenvalues,
        forest=forest_bytes(forest),
    )
    return model, components


def _count_out_of_bag(
    run: Run, forest: RandomForestClassifier, scores: npt.NDArray[np.float64], labels: Sequence[str]
) -> None:
    """Count by label the samples whose likeliest group, by the trees that had not seen them, is the label."""
    named = out_of_bag_names(forest, scores)
    sizes = Counter(labels)
    agreeing = Counter(label for label, name in zip(labels, named, strict=True) if label == name)
    run.counters.update({f"out_of_bag_{label}": agreeing[label] for label in _in_order(run, sizes)})
    run.counters.update(samples_that_every_tree_saw=named.count(None))


def out_of_bag_names(forest: RandomForestClassifier, scores: npt.NDArray[np.float64]) -> list[str | None]:
    """The likeliest group of each row of the scores that a forest was grown from, float64[n, n_pcs].

    By the trees that did not have the row in their sample; None where all had. Asked of the finished forest,
    which stays as it is: growing it with ``oob_score`` would add to its bytes, and so to the model's id.
    """
    votes = np.zeros((len(scores), len(forest.classes_)))
    for tree, seen in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        is_unseen = np.ones(len(scores), np.bool_)
        is_unseen[seen] = False
        if is_unseen.any():
            votes[is_unseen] += tree.predict_proba(scores[is_unseen])
    names = forest.classes_[votes.argmax(axis=1)].tolist()
    has_votes = (votes.sum(axis=1) > 0).tolist()
    return [name if voted else None for name, voted in zip(names, has_votes, strict=True)]


def _without_few_called(
    run: Run, chosen: TrainingSet, is_called: npt.NDArray[np.bool_], min_called_share: float
) -> TrainingSet:
    """The samples that have calls: the scores of others say little about their label."""
    left = chosen.of(is_called)
    few = sorted(set(chosen.sample_ids) - set(left.sample_ids))
    if not left.labels:
        raise BadSamples(
            f"callset {chosen.callset_id}: all {len(few)} labelled samples have calls at under "
            f"{min_called_share:g} of the sites: {shown(few)}; raise sites.min_call_rate, so that sites with "
            "more calls are chosen, or lower ancestry.min_called_share"
        )
    run.progress(
        f"warning: {len(few)} of {len(is_called)} labelled samples are not trained on, with calls at under "
        f"{min_called_share:g} of the sites (ancestry.min_called_share): {shown(few)}"
    )
    run.counters.update(samples_with_few_called_sites=len(few))
    run.counters.subtract(Counter(f"samples_{label}" for label in chosen.labels))
    run.counters.update(Counter(f"samples_{label}" for label in left.labels))
    run.counters["samples_trained_on"] = len(left.labels)
    return left


def _components(calls: TrainingCalls, n_components: int, max_exact_samples: int) -> Components:
    if calls.n_samples <= max_exact_samples:
        return exact_components(calls.covariance(), n_components)
    return randomised_components(calls.times, calls.diagonal(), n_components)


def _check_rank(components: Components, callset_id: str) -> None:
    values = components.eigenvalues
    n_real = int((values > max(_LEAST_EIGENVALUE_SHARE * values[0], _LEAST_EIGENVALUE)).sum())
    if not n_real:
        raise BadSource(
            f"callset {callset_id}: its samples have the same calls at all sites, and cannot be told apart; "
            "train on a callset of different people"
        )
    if n_real < len(values):
        raise BadSource(
            f"callset {callset_id}: its calls vary along {n_real} directions, not {len(values)}: lower the "
            f"number of principal components with --set ancestry.n_pcs={n_real}"
        )


def _training_write(model_id: str, chosen: TrainingSet, components: Components) -> RowsWrite:
    columns: Sequence[Sequence[object]] = (
        chosen.sample_ids,
        chosen.labels,
        components.scores.tolist(),
        components.left_out_scores().tolist(),
    )
    rows = [(model_id, *row) for row in zip(*columns, strict=True)]
    return RowsWrite(ANCESTRY_TRAINING, rows, rows_of_model(model_id))
