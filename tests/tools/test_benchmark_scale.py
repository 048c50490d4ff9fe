"""Fits of growth find what made the numbers, and the section in the documentation tells what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.growth import Cost, Measured, Size, exponents, fit
from benchmarks.scale import RESULTS, STAGES, sizes_of
from benchmarks.scale_report import BEGIN, BIOBANK, END, TERMS_OF, document, section_of

SIZES = sizes_of(16_000, 8_000)
COSTS = st.floats(1e-3, 1e3)


def measured(stage: str, seconds: list[float], sizes: list[Size] = SIZES) -> Measured:
    costs = [Cost(stage, size, value, 1000, 10.0) for size, value in zip(sizes, seconds, strict=True)]
    return Measured(2, 6, "2026-01-01", costs)


def test_sizes_are_three_in_samples_and_three_in_variants() -> None:
    assert [(size.samples, size.variants) for size in SIZES] == [
        (4_000, 8_000),
        (8_000, 8_000),
        (16_000, 8_000),
        (16_000, 2_000),
        (16_000, 4_000),
    ]


@given(COSTS, COSTS, COSTS)
def test_a_sum_of_terms_is_found_again(run: float, variant: float, genotype: float) -> None:
    largest = SIZES[2]
    each = {
        "run": run,
        "variant": variant / largest.variants,
        "genotype": genotype / (largest.variants * largest.samples),
    }
    values = [
        each["run"] + each["variant"] * size.variants + each["genotype"] * size.variants * size.samples
        for size in SIZES
    ]
    found = fit(SIZES, values, list(each))
    assert found.worst_error < 1e-6
    assert found.at(BIOBANK) == pytest.approx(
        each["run"] + each["variant"] * 1e9 + each["genotype"] * 1e9 * 245_388, rel=1e-3
    )


def test_exponents_are_those_of_power_laws() -> None:
    costs = measured("x", [1e-9 * size.samples**2 * size.variants**0.5 for size in SIZES]).costs
    assert exponents(costs) == pytest.approx((2.0, 0.5))


def test_growth_of_another_kind_shows_in_the_error() -> None:
    values = [float(size.samples) ** 2 for size in SIZES]
    assert fit(SIZES, values, ["run", "variant"]).worst_error > 0.5


def test_the_section_is_put_between_its_markers_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "scale.md"
    path.write_text("# Scale\n\nWords.\n")
    # 3.6 core-seconds a million genotypes: a milli-core-hour, of 245,388 billion ones.
    per_genotype = 3.6e-6
    first = measured("qc", [per_genotype * size.samples * size.variants for size in SIZES])
    for _ in range(2):
        document(first, path)
    text = path.read_text()
    assert text.startswith("# Scale\n\nWords.\n\n" + BEGIN)
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    assert "| qc | 245,388 |" in text
    path.write_text(text + "\nMore words.\n")
    document(measured("qc", [1.0] * len(SIZES)), path)
    assert path.read_text().endswith(END + "\n\nMore words.\n")
    assert "| qc | does not show at these sizes |" in path.read_text()


def test_results_survive_json(tmp_path: Path) -> None:
    given = measured("qc", [1.0, 2.0, 3.0, 4.0, 5.0])
    given.write(tmp_path / "scale.json")
    assert Measured.read(tmp_path / "scale.json") == given


def test_terms_are_of_stages_that_are_measured() -> None:
    assert set(TERMS_OF) <= set(STAGES)


def test_the_documentation_tells_what_was_measured() -> None:
    if not RESULTS.exists():
        assert BEGIN not in Path("docs/scale.md").read_text(encoding="utf-8")
        return
    text = Path("docs/scale.md").read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == section_of(Measured.read(RESULTS)).strip()
