"""What is drawn of ancestries, and of whom."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from allofus_spark.ancestry import project_samples, train_model, write_pictures

from .conftest import GROUPS, NewWarehouse, Trained, add_callset, panel_labels

pytestmark = pytest.mark.long


def note_of(path: str) -> str:
    """The text under the title, which the file holds twice escaped."""
    text = html.unescape(html.unescape(Path(path).read_text()))
    found = re.search("</h2><p>(.*?)</p>", text)
    assert found
    return found[1]


def legend_of(path: str) -> set[str]:
    text = html.unescape(Path(path).read_text())
    return set(re.findall(r'"label":\{"type":"value","value":"([^"]*)"\}', text))


def test_pictures_show_scores_and_probabilities_by_label(trained: Trained) -> None:
    paths = write_pictures(trained.warehouse, trained.model_id)
    folder = f"{trained.warehouse.root}/controlled/pictures"
    assert paths == [f"{folder}/ancestry_pcs.html", f"{folder}/ancestry_probabilities.html"]
    scores, sure = (Path(path).read_text() for path in paths)
    for text in ("PC1 and PC2", "PC3 and PC4", "PC1 (eigenvalue ", trained.model_id, "not labelled (1)"):
        assert text in scores
    for text in ("probability of the likeliest group", "Supplied and inferred labels"):
        assert text in sure
    assert '"location":0.75,"dimension":"height"' in sure


def test_who_taught_the_model_is_drawn_once_and_not_judged(trained: Trained) -> None:
    scores, sure = write_pictures(trained.warehouse, trained.model_id)
    legend = legend_of(scores)
    training = {f"{group} (training) ({n})" for group, n in zip(GROUPS, (24, 24, 25, 24), strict=True)}
    assert training < legend
    others = legend - training
    # 120 people of whom 97 taught the model; one label a plot.
    assert sum(int(text.split("(")[1].strip(")")) for text in others) == 120 - 97
    assert "Open squares: the 97 samples that the model was trained on" in note_of(scores)
    assert "23 samples are drawn. 97 people who taught the model are left out." in note_of(sure)


def test_squares_are_spoken_of_only_where_there_are_any(
    trained: Trained, new_warehouse: NewWarehouse, tmp_path: Path
) -> None:
    here = new_warehouse()
    add_callset(here, tmp_path, "panel", trained.panel, labels=panel_labels(trained.panel))
    project_samples(here, source=trained.warehouse.root, model=trained.model_id)
    scores, sure = write_pictures(here, trained.model_id)
    assert "squares" not in note_of(scores)
    assert "(training)" not in Path(scores).read_text()
    assert "100 samples are drawn. Who taught the model is not held in this warehouse" in note_of(sure)
    assert "Supplied and inferred labels" in Path(sure).read_text()


def test_where_all_taught_the_model_nothing_is_judged(
    trained: Trained, new_warehouse: NewWarehouse, tmp_path: Path
) -> None:
    here = new_warehouse()
    add_callset(here, tmp_path, "panel", trained.panel, labels=trained.panel.labels)
    model_id, _ = train_model(here, callset_id="panel", name="all")
    project_samples(here)
    _, sure = write_pictures(here, model_id)
    assert "All 100 samples taught the model: nothing is drawn" in note_of(sure)
    assert "probability of the likeliest group" not in Path(sure).read_text()


def test_nothing_is_drawn_of_a_model_that_labelled_nobody(trained: Trained) -> None:
    assert write_pictures(trained.warehouse, "nobody") == []
