"""What is drawn of ancestries, and how much of it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.ancestry import write_pictures
from allofus_spark.ancestry.pictures import _evenly
from allofus_spark.pictures import MAX_MARKS

from .conftest import GROUPS, Trained


@given(st.integers(0, 10 * MAX_MARKS))
def test_marks_are_bounded_and_evenly_spaced(n: int) -> None:
    places = _evenly(n)
    assert len(places) == min(n, MAX_MARKS)
    steps = {int(step) for step in places[1:] - places[:-1]}
    assert not steps or max(steps) - min(steps) <= 1


def test_pictures_show_scores_and_probabilities_by_label(trained: Trained) -> None:
    paths = write_pictures(trained.warehouse, trained.model_id)
    folder = f"{trained.warehouse.root}/controlled/pictures"
    assert paths == [f"{folder}/ancestry_pcs.html", f"{folder}/ancestry_probabilities.html"]
    scores, sure = (Path(path).read_text() for path in paths)
    for text in ("PC1 and PC2", "PC3 and PC4", trained.model_id, "not labelled (1)"):
        assert text in scores
    for group in GROUPS:
        assert f"{group} (training) (2" in scores
    for text in ("Probability of the likeliest group", "Supplied and inferred labels", "120 samples"):
        assert text in sure


def test_nothing_is_drawn_of_a_model_that_labelled_nobody(trained: Trained) -> None:
    assert write_pictures(trained.warehouse, "nobody") == []
