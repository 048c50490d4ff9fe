"""Where files go, and that nothing is left by what fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.errors import BadSource
from allofus_spark.export.target import put_in_place, resolve_target, scratch_folder
from allofus_spark.joined_files import put_together

PGEN = (".pvar", ".psam", ".pgen")


@pytest.mark.parametrize("out", ["cohort", "cohort.pgen", "cohort.psam"])
def test_out_is_given_with_or_without_an_ending(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = resolve_target(out, PGEN)
    assert [target.path(ending).name for ending in PGEN] == ["cohort.pvar", "cohort.psam", "cohort.pgen"]
    assert target.main == tmp_path / "cohort.pgen"
    assert resolve_target(f"file://{tmp_path}/{out}", PGEN) == target


@pytest.mark.parametrize(
    ("out", "endings", "message"),
    [
        ("s3a://bucket/cohort", PGEN, "local or mounted folders only"),
        ("hdfs://host/cohort", PGEN, "local or mounted folders only"),
        ("cohort.vcf.bgz", (".vcf.gz.tbi", ".vcf.gz"), "the ending of an exported VCF is .vcf.gz"),
        ("folder/", PGEN, "must be the name of a file"),
    ],
)
def test_a_target_that_cannot_be_is_refused(out: str, endings: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadSource, match=message) as error:
        resolve_target(out, endings)
    assert out in str(error.value)


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "cohort.mt").mkdir()
    with pytest.raises(BadSource, match="a folder that no export made is there"):
        resolve_target(str(tmp_path / "cohort"), (".mt",))
    (tmp_path / "cohort.mt" / "metadata.json.gz").touch()
    assert resolve_target(str(tmp_path / "cohort"), (".mt",)).main == tmp_path / "cohort.mt"


def test_what_a_killed_run_left_goes_with_the_next(tmp_path: Path) -> None:
    target = resolve_target(str(tmp_path / "new" / "cohort"), PGEN)
    target.scratch.mkdir(parents=True)
    (target.scratch / "part-1.pgen").touch()
    with scratch_folder(target) as folder:
        assert list(folder.iterdir()) == []
        (folder / "part-2.pgen").touch()
    assert list(target.main.parent.iterdir()) == []


def test_parts_are_put_between_head_and_tail_and_moved_into_place(tmp_path: Path) -> None:
    target = resolve_target(str(tmp_path / "x"), PGEN)
    (tmp_path / "x.pgen").write_text("old")
    (tmp_path / "x.psam").write_text("old")
    with scratch_folder(target) as folder:
        pieces = [folder / name for name in "ba"]
        for piece in pieces:
            piece.write_text(piece.name)
        put_together(folder / "whole", b"<", pieces, b">")
        assert [path.name for path in folder.iterdir()] == ["whole"]
        put_in_place({".pgen": folder / "whole"}, target)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"x.pgen": "<ba>"}


def test_a_part_that_only_another_node_sees_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="must be mounted on every node"):
        put_together(tmp_path / "whole", b"", [tmp_path / "part"], b"")
