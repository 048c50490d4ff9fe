"""Who is analysed: unrelated people with genotypes, one sample each, and the ancestries that they are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.cohort import (
    OTHER_SEX,
    SEX_CLASSES,
    Sample,
    Slot,
    check_are_active,
    kept_by_relatedness,
    kept_of,
    present,
)
from allofus_spark.errors import BadSamples, BadSource, shown
from allofus_spark.genotypes import CallBatch
from allofus_spark.genotypes.subset import take_people
from allofus_spark.tables import PERSON_SAMPLES, Run, read_columns
from allofus_spark.tables.phenotype_tables import ALL_ANCESTRIES

Places = npt.NDArray[np.int64]
Samples = Mapping[str, Sequence[Slot]]


@dataclass(frozen=True)
class Axis:
    """The samples of all callsets in a row, callset by callset; a sample's number in it is its *place*.

    ``firsts`` and ``sizes`` are the place of each callset's first sample and its samples; ``sex_classes``
    uint8[n] places in SEX_CLASSES.
    """

    firsts: Mapping[str, int]
    sizes: Mapping[str, int]
    sex_classes: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.sex_classes)


@dataclass(frozen=True)
class Group:
    """The people of one ancestry; ``place_of`` int32[samples]: a sample's place among them, -1: not one."""

    ancestry: str
    place_of: npt.NDArray[np.int32]
    n_people: int

    def calls(self, calls: CallBatch) -> CallBatch:
        """The group's calls, of those of the samples."""
        return take_people(calls, self.place_of, self.n_people)


def group_of(ancestry: str, places: Places, n_samples: int) -> Group:
    """A group by the rising places of its people among samples."""
    place_of = np.full(n_samples, -1, np.int32)
    place_of[places] = np.arange(len(places), dtype=np.int32)
    return Group(ancestry, place_of, len(places))


@dataclass(frozen=True)
class People:
    """Who may be analysed, one sample each, by rising ``places`` int64[n] on the axis."""

    axis: Axis
    places: Places
    samples: Sequence[Sample]
    person_ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)

    def of_ancestry(self, ancestry: str) -> Places:
        """Rising numbers of those of a group, or of everybody, among the people."""
        if ancestry == ALL_ANCESTRIES:
            return np.arange(len(self))
        labels = [(sample.ancestry or "").lower() == ancestry for sample in self.samples]
        return np.flatnonzero(labels)


def choose_people(
    run: Run, samples: Samples, *, sample_ids: Collection[str] | None, assume_unrelated: bool
) -> People:
    """The people of the active callsets' samples that may be analysed.

    Parameters
    ----------
    sample_ids
        The samples that count, whatever is known of their kinship; None: those that ``unrelated`` keeps.
    assume_unrelated
        All samples count.

    Raises BadSource where it is not known who is unrelated, BadSamples where an id is in no active callset or
    nobody is left.
    """
    everyone = [sample.sample_id for own in samples.values() for sample in present(own)]
    kept = kept_by_relatedness(run, everyone)
    if sample_ids is not None:
        check_are_active(sample_ids, samples)
        wanted: Collection[str] = set(sample_ids)
    elif assume_unrelated:
        wanted = set(everyone)
    else:
        wanted = _unrelated(run, kept, everyone)
    person_of = _person_of(run, everyone)
    chosen = _one_a_person(run, everyone, wanted, kept or {}, person_of)
    if not chosen:
        raise BadSamples(
            f"nobody is left to analyse: of {len(everyone):,} samples {len(wanted):,} are chosen, and none "
            "of them has a person in person_samples"
        )
    used = {
        name: own for name, own in samples.items() if any(one.sample_id in chosen for one in present(own))
    }
    on_axis = [slot for own in used.values() for slot in own]
    places = np.flatnonzero([slot is not None and slot.sample_id in chosen for slot in on_axis])
    run.counters.update(callsets=len(used), samples=len(everyone), people=len(places))
    of_places = present(on_axis[place] for place in places)
    return People(_axis(used), places, of_places, [person_of[one.sample_id] for one in of_places])


def _axis(samples: Samples) -> Axis:
    sizes = {name: len(own) for name, own in samples.items()}
    starts = np.concatenate([[0], np.cumsum(list(sizes.values()))[:-1]]).astype(int)
    slots = [slot for own in samples.values() for slot in own]
    classes = [SEX_CLASSES.index(slot.sex_class if slot else OTHER_SEX) for slot in slots]
    return Axis(dict(zip(sizes, starts.tolist(), strict=True)), sizes, np.array(classes, np.uint8))


def _unrelated(run: Run, kept: Mapping[str, bool] | None, everyone: Sequence[str]) -> frozenset[str]:
    if kept is None:
        raise BadSource(
            "it is not known who is unrelated, and relatives among the people make p-values too small: run "
            "allofus relatedness first, name samples with --samples FILE, or give --assume-unrelated"
        )
    run.counters["samples_related"] = sum(not kept.get(name, True) for name in everyone)
    return kept_of(run, kept, everyone, left_out_of="the scan")


def _person_of(run: Run, everyone: Sequence[str]) -> dict[str, str]:
    """The person of each sample that has one."""
    if not run.holds(PERSON_SAMPLES):
        run.progress("person_samples was never written: ids of persons are taken for ids of samples")
        return {name: name for name in everyone}
    rows = read_columns(run, PERSON_SAMPLES, ["sample_id", "person_id"])
    return dict(zip(rows.column("sample_id").to_pylist(), rows.column("person_id").to_pylist(), strict=True))


def _one_a_person(
    run: Run,
    everyone: Sequence[str],
    wanted: Collection[str],
    kept: Mapping[str, bool],
    person_of: Mapping[str, str],
) -> set[str]:
    """One of the wanted samples of each person: the first that ``unrelated`` keeps, else the first."""
    chosen: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name in everyone:
        if name not in wanted:
            continue
        person = person_of.get(name)
        if person is None:
            counts["samples_without_person"] += 1
            continue
        if person in chosen:
            counts["samples_of_same_person"] += 1
        if person not in chosen or (kept.get(name) and not kept.get(chosen[person])):
            chosen[person] = name
    run.counters.update(counts)
    if counts["samples_without_person"]:
        run.progress(
            f"warning: {counts['samples_without_person']:,} of {len(wanted):,} samples have no person in "
            "person_samples and are left out"
        )
    if counts["samples_of_same_person"]:
        run.progress(
            f"{counts['samples_of_same_person']:,} samples are left out because another one of the same "
            "person counts"
        )
    return set(chosen.values())


def choose_ancestries(
    run: Run, people: People, wanted: Sequence[str], groups: Sequence[str], unassigned: str
) -> dict[str, Places]:
    """Numbers of the people of each ancestry to scan, by its name in alphabetical order.

    ``wanted`` none: every group but the unassigned one, where anybody is of it. Raises BadSource for an
    ancestry that the settings lack, BadSamples where nobody is of any.
    """
    asked = [name.lower() for name in wanted] or [name for name in groups if name != unassigned]
    if unknown := sorted(set(asked) - {*groups, ALL_ANCESTRIES}):
        raise BadSource(
            f"ancestries that the settings do not know: {shown(unknown)}; there are: {', '.join(groups)}, "
            f"and {ALL_ANCESTRIES} for everybody together"
        )
    numbers = {name: people.of_ancestry(name) for name in sorted(set(asked))}
    run.progress(
        f"{len(people):,} people: " + ", ".join(f"{name} {len(own):,}" for name, own in numbers.items())
    )
    if not any(map(len, numbers.values())):
        raise BadSamples(
            f"none of the {len(people):,} people has an ancestry label of {', '.join(numbers)}: give labels "
            f"by allofus ingest-samples or infer-ancestry, or scan everybody with --ancestry {ALL_ANCESTRIES}"
        )
    return {name: own for name, own in numbers.items() if len(own)}
