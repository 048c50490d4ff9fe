"""Settings: later sources win, every mistake is named with its origin, and the hash means what it says."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from allofus_spark.errors import SettingsError
from allofus_spark.settings import Settings, describe_settings, load_settings, max_rows_per_batch

CONF = Path(__file__).parents[1] / "conf"


def toml_file(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(file: Path | None = None, *overrides: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(file, overrides=overrides)
    return [line.strip() for line in str(caught.value).splitlines()][1:]


def test_later_sources_win(tmp_path: Path) -> None:
    file = toml_file(tmp_path, 'warehouse = "of file"\n[ingest]\nmax_alts = 7\nsplit_bytes = 1_000_000\n')
    settings = load_settings(
        file, warehouse="of option", overrides=["ingest.max_alts=8", "ingest.max_alts=9"]
    )
    assert settings.warehouse == "of option"
    assert settings.ingest.max_alts == 9
    assert settings.ingest.split_bytes == 1_000_000
    assert settings.ingest.chunk_bytes == Settings().ingest.chunk_bytes
    assert load_settings(overrides=["warehouse=of set"], warehouse="of option").warehouse == "of set"


def test_values_are_toml_except_where_text_is_meant() -> None:
    settings = load_settings(
        overrides=[
            "warehouse=007",
            "genome.reference_fasta=true",
            "ingest.max_rejected_share=0",
            'frequencies.ancestry_groups=["x_1", "oth"]',
            "spark.driver_memory = 12g ",
        ]
    )
    assert settings.warehouse == "007"
    assert settings.genome.reference_fasta == "true"
    assert settings.ingest.max_rejected_share == 0
    assert settings.frequencies.ancestry_groups == ("x_1", "oth")
    assert settings.spark.driver_memory == "12g"


def test_an_empty_value_unsets_only_what_may_be_unset(tmp_path: Path) -> None:
    file = toml_file(tmp_path, '[spark]\nmaster = "local[3]"\n')
    assert load_settings(file, overrides=["spark.master="]).spark.master is None
    assert problems(None, "warehouse=") == ["--set: warehouse = '': must be text, such as 'warehouse'"]


def test_raw_spark_settings_by_any_spelling(tmp_path: Path) -> None:
    text = '[spark.extra]\nspark.a.b = true\n"spark.c" = 4\n[spark.extra.spark.d]\ne = "x"\n'
    settings = load_settings(toml_file(tmp_path, text), overrides=["spark.extra.spark.c=5"])
    assert settings.spark.extra == {"spark.a.b": "true", "spark.c": "5", "spark.d.e": "x"}


@pytest.mark.parametrize(
    ("override", "answer"),
    [
        ("max_alts=3", "did you mean ingest.max_alts?"),
        ("ingest.max_alt=3", "did you mean ingest.max_alts?"),
        ("ingst.max_alts=3", "did you mean ingest.max_alts?"),
        ("warehose=x", "did you mean warehouse?"),
        ("warehouse.x=1", "did you mean warehouse?"),
        ("genome.zzz=1", "the keys are genome.bin_width_bases, genome.reference_fasta"),
        (
            "zzz=1",
            "the sections are access, ancestry, association, browser, consequences, export, frequencies, "
            "genome, ingest, lease, maintenance, nightly, phenotypes, qc, relatedness, release, "
            "replication, representation, sites, spark, summary",
        ),
    ],
)
def test_unknown_keys_are_errors_with_a_suggestion(override: str, answer: str) -> None:
    key = override.partition("=")[0]
    (problem,) = problems(None, override)
    assert problem.startswith(f"--set: unknown key {key}: ")
    assert problem.endswith(answer)


@pytest.mark.parametrize("name", ["all", "max", "overall_xx", "unlabelled"])
def test_a_group_cannot_take_the_name_of_another_column(name: str) -> None:
    (problem,) = problems(None, f'frequencies.ancestry_groups=["oth", "{name}"]')
    assert "give the group another name" in problem


@pytest.mark.parametrize("bounds", ["[0.1, nan]", "[0.1, 0.1]", "[0.0]", "[1.0]", "[]"])
def test_bounds_of_frequency_rise_between_0_and_1(bounds: str) -> None:
    assert problems(None, f"summary.frequency_bounds={bounds}")


def test_all_problems_come_in_one_message(tmp_path: Path) -> None:
    text = (
        "[unknown]\n[ingest]\nsplit_byte = 3\nbatch_bytes = 'many'\n[frequencies]\nunassigned_group = 'EUR'\n"
    )
    file = toml_file(tmp_path, text)
    found = problems(file, "ingest.max_alts=0", "ingest.max_rejected_share=true", "novalue")
    assert len(found) == 7
    assert f"{file}: unknown key ingest.split_byte: did you mean ingest.split_bytes?" in found
    assert any(line.startswith(f"{file}: unknown key unknown: ") for line in found)
    assert (
        f"{file}: ingest.batch_bytes = 'many': must be a whole number at least 1024 and at most 67108864, "
        "such as 33554432" in found
    )
    group = f"{file}: frequencies.unassigned_group = 'EUR': a group name is made of lower-case letters"
    assert any(line.startswith(group) for line in found)
    assert "--set: ingest.max_alts = 0: must be a whole number at least 1, such as 50" in found
    assert any(line.startswith("--set: ingest.max_rejected_share = True: must be a number") for line in found)
    assert "--set novalue: must be key=value, such as ingest.max_alts=50" in found


@pytest.mark.parametrize(
    ("override", "answer"),
    [
        ('frequencies.ancestry_groups=["AFR", "oth"]', "lower-case letters"),
        ('frequencies.ancestry_groups=["a b", "oth"]', "lower-case letters"),
        ('frequencies.ancestry_groups=["afr", "oth", "afr"]', "repeated: afr"),
        ("frequencies.ancestry_groups=[]", "must be a list, such as ['afr'"),
        ("qc.max_x_f_of_xx=0.9", "max_x_f_of_xx 0.9 must not be above min_x_f_of_xy 0.8"),
        ("frequencies.unassigned_group=xyz", "must be one of ancestry_groups (afr, amr, eas"),
        ("spark=3", "spark is a table, so write spark.KEY"),
        ("ingest.max_rejected_share=nan", "at least 0 and at most 1"),
        ("ingest.max_alts=2024-01-01", "must be a whole number"),
        ("spark.driver_memory=lots", "such as '4g'"),
    ],
)
def test_wrong_values_say_what_is_allowed(override: str, answer: str) -> None:
    (problem,) = problems(None, override)
    assert problem.startswith("--set: ")
    assert answer in problem


def test_a_section_that_contradicts_itself_names_the_later_source(tmp_path: Path) -> None:
    file = toml_file(tmp_path, '[frequencies]\nancestry_groups = ["afr", "oth"]\n')
    (problem,) = problems(file, "frequencies.unassigned_group=eur")
    assert problem == ("--set: frequencies: unassigned_group eur must be one of ancestry_groups (afr, oth)")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml cannot be read: No such file"):
        load_settings(tmp_path / "absent.toml")
    with pytest.raises(SettingsError, match=r"is not TOML: .*line 2"):
        load_settings(toml_file(tmp_path, "[ingest]\nmax_alts = = 3\n"))
    (tmp_path / "latin.toml").write_bytes(b'warehouse = "\xe9"')
    with pytest.raises(SettingsError, match=r"latin\.toml is not TOML"):
        load_settings(tmp_path / "latin.toml")


@pytest.mark.parametrize("name", ["laptop.toml", "cluster.toml"])
def test_shipped_files_hold_only_what_differs(name: str) -> None:
    loaded, default = load_settings(CONF / name).model_dump(), Settings().model_dump()
    assert load_settings(CONF / name) != Settings()
    for line in (CONF / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[] ")
        elif "=" in line and not line.startswith("#"):
            key = line.partition("=")[0].strip()
            assert loaded[section][key] != default[section][key], f"{section}.{key} repeats its default"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().ingest.max_alts = 3  # type: ignore[misc]


def test_every_key_is_described() -> None:
    described = describe_settings()
    assert {"warehouse", "ingest.max_alts", "frequencies.unassigned_group"} <= {
        each.key for each in described
    }
    for setting in described:
        assert len(setting.description) > 40, f"{setting.key} does not say what it is for"


def test_the_hash_holds_what_can_shape_a_result(tmp_path: Path) -> None:
    base = Settings().content_hash()
    elsewhere = load_settings(warehouse="w", overrides=["spark.driver_memory=9g", "lease.wait_seconds=9"])
    assert elsewhere.content_hash() == base
    hashes = {
        load_settings(overrides=[override]).content_hash()
        for override in (
            "ingest.max_alts=51",
            "genome.bin_width_bases=1000",
            "frequencies.unassigned_group=eur",
        )
    }
    assert len(hashes | {base}) == 4
    one = toml_file(tmp_path, "[ingest]\nmax_alts = 3\nchunk_bytes = 70_000\n")
    assert load_settings(one).content_hash() == (
        load_settings(overrides=["ingest.chunk_bytes=70000", "ingest.max_alts=3"]).content_hash()
    )


def test_rows_a_batch_of_the_case(cases: Path) -> None:
    case = cases / "27_spark_env_and_big_arrays"
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))["plan.csv"]
    limit_bytes = 132_152_839 * 8
    for row in csv.DictReader((case / "plan.csv").open(encoding="utf-8")):
        rows = max_rows_per_batch(int(row["n_samples"]), 8, limit_bytes)
        assert rows == expected["max_rows_per_batch"][row["n_samples"]]
        assert (int(row["proposed_rows_per_batch"]) <= rows) is expected["accept_as_proposed"][
            row["n_samples"]
        ]


@given(st.integers(0, 2_000_000), st.sampled_from([0.25, 1, 4, 8]), st.integers(1, 2**31))
def test_a_batch_is_the_largest_that_fits(n_samples: int, bytes_per_sample: float, limit_bytes: int) -> None:
    rows = max_rows_per_batch(n_samples, bytes_per_sample, limit_bytes)
    row_bytes = max(n_samples, 1) * bytes_per_sample
    assert rows >= 1
    assert rows == 1 or rows * row_bytes <= limit_bytes
    assert (rows + 1) * row_bytes > limit_bytes


@pytest.mark.parametrize(
    ("override", "answer"),
    [
        ("release.policy.associations=round", "must be suppress or exempt or leave_out"),
        ("release.policy.variants=exempt", "is exempt without a reason; write one in reason.variants"),
        ("release.round_to=30", "round_to 30 must be at least twice the floor 20"),
        ("ancestry.labels=round", "must be supplied_else_inferred or supplied or inferred"),
    ],
)
def test_policies_of_a_release_are_held_against_what_a_product_can_take(override: str, answer: str) -> None:
    (problem,) = problems(None, override)
    assert answer in problem
