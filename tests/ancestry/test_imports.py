"""Labels from elsewhere: what a file may say, and the rows that it gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from allofus_spark.ancestry import import_labels, write_pictures
from allofus_spark.ancestry.label_files import ImportedLabel, read_label_file
from allofus_spark.cli import main
from allofus_spark.errors import AllofusError, BadSamples, BadSource, NotFound
from allofus_spark.tables import Warehouse

from .conftest import NewWarehouse, add_callset
from .populations import simulate
from .test_stage import rows_of

GROUPS = ("afr", "eur", "oth")
RELEASE = (
    "research_id\tancestry_pred\tprobabilities\tpca_features\tancestry_pred_other\n"
    "afr0\tafr\t[0.99, 0.01]\t[0.5, -0.25]\tafr\n"
    "afr1\tafr\t[0.6, 0.4]\t[0.1, 1e-3]\toth\n"
    "stranger\teur\t[0, 1]\t[0, 0]\teur\n"
)
COLUMNS = {
    "sample_id": "research_id",
    "ancestry": "ancestry_pred_other",
    "ancestry_before_threshold": "ancestry_pred",
    "pcs": "pca_features",
}


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_file_of_the_release_is_read(tmp_path: Path) -> None:
    labels = read_label_file(write(tmp_path / "preds.tsv", RELEASE), COLUMNS, GROUPS)
    assert labels["afr1"] == ImportedLabel("oth", "afr", (0.1, 0.001))
    assert list(labels) == ["afr0", "afr1", "stranger"]


def test_scores_stand_in_columns_of_their_own_too_and_labels_in_any_case(tmp_path: Path) -> None:
    text = "PC2,sample_id,PC1,ancestry\n2,a,1.5,AFR\n,b,,EUR\n3,c,4,NA\n"
    labels = read_label_file(write(tmp_path / "labels.csv", text), {}, GROUPS)
    assert labels == {
        "a": ImportedLabel("afr", "afr", (1.5, 2.0)),
        "b": ImportedLabel("eur", "eur", None),
        "c": ImportedLabel(None, None, (4.0, 3.0)),
    }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "a\txyz",
            r"1 bad rows, nothing was written: line 2, sample a: ancestry 'xyz' is not among afr, eur",
        ),
        ("a\tafr\na\tafr", "1 samples have two rows or more: a; keep one of each"),
        ("a", "line 2: 1 fields, not 2"),
        (" \tafr", "line 2, sample  : empty sample id"),
        ("a\t", "no ancestry label in it, nothing was written"),
        ("", "no ancestry label in it, nothing was written"),
    ],
)
def test_rows_that_say_nothing_or_too_much_are_refused(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(BadSamples, match=message):
        read_label_file(write(tmp_path / "labels.tsv", f"sample_id\tancestry\n{rows}\n"), {}, GROUPS)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("pcs", "[1, x]", r"sample a: scores '\[1, x\]' are not a JSON list of numbers"),
        ("pcs", "[true]", "are not a JSON list of numbers"),
        ("pcs", "[NaN]", "a score is not a number of at most 1e"),
        ("pcs", "[1]\nb\teur\t[1, 2]", r"rows have different numbers of scores \(1, 2\)"),
        ("PC2", "1", "its scores are not PC1, PC2 and so on, each once: PC2"),
        ("PC1", "one", "could not convert string to float: 'one'"),
        ("PC1", "1_0", "score '1_0' is not a number"),
        ("PC1\tPC2", "1\t", "score '' is not a number"),
        ("PC1\tpc1", "1\t2", "its scores are not PC1, PC2 and so on, each once: PC1, PC1"),
        ("pcs", f"[{'1' * 400}]", "a score is not a number of at most 1e"),
        ("pcs", f"[{'1' * 5000}]", "a score is not a number of at most 1e"),
        ("pcs", "[" * 100_000, r"scores '\[+' are not a JSON list of numbers"),
    ],
)
def test_scores_that_are_no_numbers_are_refused(tmp_path: Path, header: str, row: str, message: str) -> None:
    text = f"sample_id\tancestry\t{header}\na\tafr\t{row}\n"
    with pytest.raises(BadSamples, match=message):
        read_label_file(write(tmp_path / "labels.tsv", text), {}, GROUPS)


def test_a_list_of_no_scores_is_no_scores(tmp_path: Path) -> None:
    text = 'sample_id,ancestry,pcs\r\na,afr,[]\r\nb,eur,"[1, -2]"\r\n'
    labels = read_label_file(write(tmp_path / "labels.csv", f"\ufeff{text}"), {}, GROUPS)
    assert [labels[name].pcs for name in "ab"] == [None, (1.0, -2.0)]


def test_columns_that_stand_there_twice_are_refused(tmp_path: Path) -> None:
    text = "sample_id\tancestry\tancestry\na\tafr\teur\n"
    with pytest.raises(BadSamples, match="several columns are called ancestry; rename all but one of each"):
        read_label_file(write(tmp_path / "labels.tsv", text), {}, GROUPS)


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "preds.tsv", RELEASE)
    with pytest.raises(
        BadSamples, match="no column for sample_id, ancestry; the file has: research_id, ance"
    ):
        read_label_file(path, {}, GROUPS)
    with pytest.raises(BadSamples, match="--column label: the names are sample_id, ancestry,"):
        read_label_file(path, {**COLUMNS, "label": "ancestry_pred"}, GROUPS)
    with pytest.raises(BadSource, match="empty; it needs a header line with a column sample_id"):
        read_label_file(write(tmp_path / "empty.tsv", ""), {}, GROUPS)


@pytest.fixture(scope="module")
def warehouse(new_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    here = new_warehouse()
    folder = tmp_path_factory.mktemp("imports")
    add_callset(here, folder, "c", simulate(("afr",), 3, n_sites=3), labels=("afr", "", ""))
    return here


def test_imported_labels_stand_as_they_are(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "preds.tsv", RELEASE)
    counters = import_labels(warehouse, path, callset_id="c", name="release.v8", columns=COLUMNS)
    absent_from_either = counters["samples_not_labelled"], counters["samples_not_in_callset"]
    assert (counters["samples"], absent_from_either) == (3, (1, 1))
    assert (counters["samples_afr"], counters["samples_oth"]) == (1, 1)
    whole, unsure, absent = rows_of(warehouse, "ancestries")
    assert (whole["sample_index"], whole["model_id"], whole["ancestry"]) == (0, "release.v8", "afr")
    assert (whole["pcs"], whole["n_sites_called"], whole["probabilities"]) == ([0.5, -0.25], None, None)
    assert (unsure["ancestry"], unsure["ancestry_before_threshold"]) == ("oth", "afr")
    assert (absent["ancestry"], absent["not_labelled"], absent["pcs"]) == (None, "not_in_import", None)
    (picture,) = write_pictures(warehouse, "release.v8")
    assert picture == f"{warehouse.root}/controlled/pictures/ancestry_pcs.html"
    text = Path(picture).read_text()
    assert "PC1 and PC2" in text
    assert "PC3" not in text


def test_files_about_others_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "labels.tsv", "sample_id\tancestry\nx\tafr\n")
    cases: list[tuple[str, str, type[AllofusError], str]] = [
        (
            "c",
            "n",
            BadSamples,
            r"labels none of the 3 samples of callset c \(afr0, afr1, afr2\), nothing was ",
        ),
        ("d", "n", NotFound, "callset d is not active here; there are: c"),
        ("c", "a b", BadSource, "import name 'a b': use 1 to 100 letters"),
    ]
    for callset_id, name, kind, message in cases:
        with pytest.raises(kind, match=message):
            import_labels(warehouse, path, callset_id=callset_id, name=name)


def test_a_column_option_needs_both_names() -> None:
    arguments = ["infer-ancestry", "import", "--callset", "c", "--name", "n", "--column", "pcs", "file"]
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 2
    assert "pcs: write NAME=COLUMN, such as sample_id=research_id" in answer.output
