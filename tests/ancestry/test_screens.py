"""What the commands of ancestry print, and the counts out of bag."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.ensemble import RandomForestClassifier

from allofus_spark.ancestry.forest import forest_bytes, grow_forest
from allofus_spark.ancestry.training import out_of_bag_names
from allofus_spark.cli import main
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.settings import AncestrySettings
from allofus_spark.tables import ANCESTRY_TRAINING, Warehouse

from .conftest import GROUPS, Trained, copy_of

pytestmark = pytest.mark.long

Command = Callable[[Warehouse, Sequence[str]], str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs allofus infer-ancestry with arguments on a warehouse; gives what it printed."""

    def run(warehouse: Warehouse, arguments: Sequence[str]) -> str:
        @contextmanager
        def opened(*_: object) -> Iterator[Warehouse]:
            yield warehouse

        monkeypatch.setattr("allofus_spark.cli.ancestry.open_warehouse", opened)
        return CliRunner().invoke(main, ["infer-ancestry", *arguments], catch_exceptions=False).stdout

    return run


def noisy(n: int) -> tuple[np.ndarray, list[str]]:
    random = np.random.default_rng(5)
    labels = random.choice(["a", "b", "c"], n)
    return random.normal(size=(n, 3)) + 0.7 * (labels[:, None] == ["a", "b", "c"]), labels.tolist()


def test_names_out_of_bag_are_those_of_scikit_learn_and_leave_the_forest_as_it_is() -> None:
    scores, labels = noisy(200)
    forest = grow_forest(scores, labels, AncestrySettings(n_trees=40))
    before = forest_bytes(forest)
    found = out_of_bag_names(forest, scores)
    assert forest_bytes(forest) == before
    judged = RandomForestClassifier(40, random_state=0, oob_score=True).fit(scores, labels)
    assert found == judged.classes_[judged.oob_decision_function_.argmax(axis=1)].tolist()
    assert 0.4 < np.mean(np.array(found) == labels) < 0.9  # in the bag it would be 1


def test_of_whom_every_tree_saw_nothing_is_said() -> None:
    scores, labels = noisy(50)
    forest = grow_forest(scores, labels, AncestrySettings(n_trees=1))
    (seen,) = forest.estimators_samples_
    silent = [place for place, name in enumerate(out_of_bag_names(forest, scores)) if name is None]
    assert silent == sorted(set(seen.tolist()))


def test_training_prints_agreement_by_group_and_the_next_command(
    trained: Trained, command: Command, tmp_path: Path
) -> None:
    here = copy_of(trained.warehouse, tmp_path)
    printed = command(here, ["train", "--callset", "panel", "--name", "reference"])
    assert f"model {trained.model_id} is in {here.root}" in printed
    lines = [line.split() for line in printed.splitlines()]
    counted = trained.trained
    agreement = [
        [group, str(counted[f"samples_{group}"]), str(counted[f"out_of_bag_{group}"])] for group in GROUPS
    ]
    start = lines.index(agreement[0])
    assert lines[start : start + len(GROUPS)] == agreement
    assert sum(counted[f"samples_{group}"] for group in GROUPS) == here.live(ANCESTRY_TRAINING).count()
    assert 80 < sum(counted[f"out_of_bag_{group}"] for group in GROUPS) <= 97
    assert "samples without a label      " in printed
    assert "not name" not in printed
    assert printed.endswith(f"allofus infer-ancestry project --from {here.root}\n")
    second = command(here, ["train", "--callset", "panel", "--name", "other"])
    assert f"--from {here.root} --model other-" in second


def test_groups_are_counted_in_the_order_of_the_settings(trained: Trained) -> None:
    known = trained.warehouse.settings.frequencies.ancestry_groups
    for prefix in ("samples_", "out_of_bag_"):
        counted = [name.removeprefix(prefix) for name in trained.trained if name.startswith(prefix)]
        assert [name for name in counted if name in known] == [name for name in known if name in GROUPS]


def test_projection_is_told_in_words_and_what_it_makes_stale(
    trained: Trained, command: Command, tmp_path: Path
) -> None:
    here = copy_of(trained.warehouse, tmp_path)
    compute_frequencies(here)
    printed = command(here, ["project"])
    texts = ("sites of the model", "of these in the callset that has fewest", "unassigned: labelled oth")
    for text in (*texts, "not labelled"):
        assert f"  {text}  " in printed
    assert "labelled amr" not in printed
    assert "run again" not in printed  # labels are those of before
    assert f"Picture: {here.root}/controlled/pictures/ancestry_pcs.html" in printed
    labels = tmp_path / "labels.tsv"
    labels.write_text("".join(["sample_id\tancestry\n", *(f"{name}\tmid\n" for name in trained.cohort.ids)]))
    imported = command(here, ["import", "--callset", "cohort", "--name", "other", str(labels)])
    n = len(trained.cohort.ids)
    assert f"Labels that count changed for {n} samples: run again allofus frequencies\n" in imported
    for text in ("labelled mid", "unassigned: labelled oth", "not labelled"):
        assert f"  {text}  " in imported
