"""Where a release is looked for: one answer for every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from allofus_spark.cli import main
from allofus_spark.errors import BadSource
from allofus_spark.published import release_folder, releases_folder


@pytest.mark.parametrize(
    "root", ["/data/warehouse", "file:/data/warehouse", "file:///data/warehouse", "/data/b:c/../warehouse"]
)
def test_a_local_warehouse_has_its_releases_below_it(root: str) -> None:
    folder = release_folder(root, "v8")
    assert folder.is_absolute()
    assert Path(*folder.parts[-3:]) == Path("public/releases/v8")
    assert ":" not in folder.parts[1]


def test_a_folder_that_is_chosen_goes_before_the_warehouse(tmp_path: Path) -> None:
    assert releases_folder("s3a://held/here", tmp_path) == tmp_path
    assert release_folder("s3a://held/here", "v8", f"file://{tmp_path}") == tmp_path / "v8"


@pytest.mark.parametrize("root", ["s3a://held/here", "hdfs:/here", "file://elsewhere/here"])
def test_a_file_system_that_is_not_mounted_is_refused(root: str) -> None:
    with pytest.raises(BadSource, match=r"--releases FOLDER"):
        releases_folder(root, None)
    with pytest.raises(BadSource, match=r"--releases .*local or mounted"):
        releases_folder("/data/warehouse", root)


@pytest.mark.parametrize("version", ["../v8", "v8/..", "", "..", "/v8", "v8\n", "-v8", "v" * 101])
def test_a_version_is_a_name(version: str) -> None:
    with pytest.raises(BadSource, match="a release is named by letters"):
        release_folder("/data/warehouse", version)


@pytest.mark.parametrize("command", ["browse", "verify-release"])
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "give the FOLDER of a release, or its --version"),
        (["x", "--version", "v8"], 2, "give the FOLDER of a release, or its --version"),
        (["x", "--releases", "y"], 2, "--releases goes with --version"),
        (["--version", "../v8"], 1, "a release is named by letters"),
        (["--version", "v8", "--warehouse", "s3a://held"], 1, "no local or mounted folder"),
        (
            ["--version", "v8", "--warehouse", "file:///no/such"],
            1,
            "/no/such/public/releases/v8 is no release",
        ),
        (["--version", "v8", "--releases", "/no/such"], 1, "/no/such/v8 is no release"),
    ],
)
def test_commands_look_in_the_same_place(command: str, arguments: list[str], code: int, said: str) -> None:
    result = CliRunner().invoke(main, [command, *arguments])
    # Of verify-release, 1 says that something was derived.
    status = 2 if command == "verify-release" else code
    assert (result.exit_code, said in result.output) == (status, True), result.output
