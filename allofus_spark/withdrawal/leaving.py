"""Who leaves: the samples that were named, and every other sample of their persons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Row

from allofus_spark.errors import BadSamples, shown
from allofus_spark.tables import ANCESTRY_TRAINING, PERSON_SAMPLES, SAMPLES, WITHDRAWALS, Run


@dataclass(frozen=True)
class Leaving:
    """Samples that are out from now on, those of earlier withdrawals among them.

    ``person_of`` has each sample's person, None where it is not known; ``held`` the rows of the list before;
    ``slots`` the places in the genotypes of each callset that are theirs and not yet masked.
    """

    person_of: Mapping[str, str | None]
    held: Mapping[str, Row]
    slots: Mapping[str, tuple[int, ...]]

    @property
    def samples(self) -> list[str]:
        return sorted(self.person_of)

    @property
    def persons(self) -> list[str]:
        return sorted({person for person in self.person_of.values() if person is not None})

    @property
    def new(self) -> list[str]:
        """Samples that were not on the list."""
        return sorted(set(self.person_of) - set(self.held))


def who_leaves(run: Run, sample_ids: Collection[str], *, allow_absent: bool) -> Leaving:
    """The samples named, their persons' other ones, and those of the list.

    Raises BadSamples naming ids that no table of samples has, unless ``allow_absent``.
    """
    held = {row.sample_id: row for row in run.rows(WITHDRAWALS)}
    rows = run.rows(SAMPLES)
    links = {row.sample_id: row.person_id for row in run.rows(PERSON_SAMPLES)}
    unknown = sorted(set(sample_ids) - {row.sample_id for row in rows} - set(links) - set(held))
    if unknown and not allow_absent:
        raise BadSamples(
            f"{len(unknown)} of {len(set(sample_ids))} samples are not known here: {shown(unknown)}; nothing "
            "was changed. Correct the ids, or give --allow-absent where their genomes are still to come"
        )
    if unknown:
        run.progress(
            f"{len(unknown)} samples are not here yet: {shown(unknown)}; ingests will leave them out"
        )
    named = {*sample_ids, *held}
    known = {name: row.person_id for name, row in held.items()}
    # Without any link of a sample to a person, ids of persons are taken for ids of samples.
    known |= {name: links.get(name, known.get(name) or (None if links else name)) for name in named}
    persons = {person for person in known.values() if person is not None}
    others = {name: person for name, person in links.items() if person in persons and name not in known}
    if others:
        run.progress(f"{len(others)} further samples of the same persons leave too: {shown(sorted(others))}")
    known |= others
    return Leaving(known, held, _slots(rows, known))


def _slots(rows: Sequence[Row], leaving: Collection[str]) -> dict[str, tuple[int, ...]]:
    slots: dict[str, list[int]] = {}
    for row in rows:
        if row.sample_id in leaving and row.sample_index is not None:
            slots.setdefault(row.callset_id, []).append(row.sample_index)
    return {callset_id: tuple(sorted(own)) for callset_id, own in sorted(slots.items())}


def models_of(run: Run, samples: Collection[str]) -> dict[str, set[str]]:
    """Ids of the models that each sample was trained on, where it was on any."""
    models: dict[str, set[str]] = {}
    if run.holds(ANCESTRY_TRAINING):
        rows = run.read(ANCESTRY_TRAINING).select("model_id", "sample_id").collect()
        for model_id, sample_id in rows:
            if sample_id in samples:
                models.setdefault(sample_id, set()).add(model_id)
    return models
