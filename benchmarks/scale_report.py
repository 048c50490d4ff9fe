"""The section of docs/scale.md on what a biobank would cost, made from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.growth import SECONDS_AN_HOUR, Cost, Measured, Size, exponents, fit

BEGIN, END = "<!-- scale: made by python -m benchmarks.scale -->", "<!-- scale: end -->"
# The All of Us release of 245,388 genomes has about a billion variants; kinship is told from the most sites
# that the settings take.
BIOBANK = Size(245_388, 1_000_000_000, 100_000)
GENOTYPES, VARIANTS = ("run", "variant", "genotype"), ("run", "variant")
TERMS_OF: Mapping[str, Sequence[str]] = {
    "relatedness": ("run", "genotype", "pair of samples and site"),
    "ingest-catalogue": VARIANTS,
    "flag-novelty": VARIANTS,
}
BYTES_TERMS_OF: Mapping[str, Sequence[str]] = {**TERMS_OF, "relatedness": ("run", "sample")}
# Under this share of the cost at the largest size, growth is not told from the noise of a run.
LEAST_GROWING_SHARE = 0.1


def document(measured: Measured, path: Path) -> None:
    """Put the section between its markers in ``path``, or at its end where there are none."""
    text = path.read_text(encoding="utf-8")
    section = f"{BEGIN}\n{section_of(measured)}{END}\n"
    if BEGIN in text:
        before, rest = text.split(BEGIN, 1)
        text = before + section + rest.split(END, 1)[1].removeprefix("\n")
    else:
        text = f"{text.rstrip()}\n\n{section}"
    path.write_text(text, encoding="utf-8")


def section_of(measured: Measured) -> str:
    """The section as Markdown."""
    stages = list(dict.fromkeys(cost.stage for cost in measured.costs))
    lines = [
        "## A biobank",
        "",
        *_introduction(measured),
        "",
        "| stage | exponent in samples | in variants | core-seconds: a run | a million variants | "
        "a billion genotypes | 10¹² pairs × sites | worst error | peak memory, MiB |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_growth_row(stage, measured.of(stage)) for stage in stages),
        "",
        f"What these sums give for {BIOBANK.samples:,} samples × {BIOBANK.variants:,} variants:",
        "",
        "| stage | core-hours | TB written |",
        "|---|---|---|",
        *_biobank_rows(measured, stages),
        "",
        *_ASSUMPTIONS,
        "",
    ]
    return "\n".join(lines)


def _introduction(measured: Measured) -> list[str]:
    largest = max(measured.costs, key=lambda cost: cost.size.samples * cost.size.variants).size
    return [
        f"`make bench-scale`, {measured.date}, {measured.cores} cores, a Java heap of "
        f"{measured.memory_gib} GiB: each stage once in a warm session,",
        f"at a quarter, a half and all of {largest.samples:,} samples and of {largest.variants:,} variants. "
        "Core-seconds are seconds times",
        "cores, idle or not. Costs are fitted by sums of terms, a run, a variant, a genotype (for kinship a "
        "pair of samples",
        "and site); exponents are those of power laws through three sizes, under 1 where the cost of a run "
        "weighs.",
    ]


def _growth_row(stage: str, costs: Sequence[Cost]) -> str:
    found = fit(*_values(costs, "core_seconds"), TERMS_OF.get(stage, GENOTYPES))
    in_samples, in_variants = exponents(costs)
    own = found.coefficients
    peaks = [cost.peak_mib for cost in costs if cost.peak_mib is not None]
    cells = (
        stage,
        f"{in_samples:.2f}",
        f"{in_variants:.2f}",
        f"{own['run']:.1f}",
        _number(own.get("variant"), 1e6),
        _number(own.get("genotype"), 1e9),
        _number(own.get("pair of samples and site"), 1e12),
        f"{found.worst_error:.0%}",
        f"{max(peaks):,.0f}" if peaks else "not known",
    )
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, times: float) -> str:
    return "" if value is None else f"{value * times:.3g}"


def _biobank_rows(measured: Measured, stages: Sequence[str]) -> Iterator[str]:
    hours: list[float | None] = []
    tera: list[float | None] = []
    for stage in stages:
        costs = measured.of(stage)
        hours.append(_at_biobank(costs, "core_seconds", TERMS_OF.get(stage, GENOTYPES), SECONDS_AN_HOUR))
        tera.append(_at_biobank(costs, "bytes_written", BYTES_TERMS_OF.get(stage, GENOTYPES), 1e12))
        yield f"| {stage} | {_told(hours[-1], 0)} | {_told(tera[-1], 2)} |"
    together = [sum(value for value in values if value is not None) for values in (hours, tera)]
    yield f"| together, of what is told | {_told(together[0], 0)} | {_told(together[1], 2)} |"


def _at_biobank(costs: Sequence[Cost], name: str, terms: Sequence[str], unit: float) -> float | None:
    """The cost of a biobank; None where growth does not show at the sizes that were measured."""
    sizes, values = _values(costs, name)
    found = fit(sizes, values, terms)
    largest = max(sizes, key=lambda size: size.samples * size.variants)
    return found.at(BIOBANK) / unit if found.growing_share(largest) >= LEAST_GROWING_SHARE else None


def _told(value: float | None, digits: int) -> str:
    return "does not show at these sizes" if value is None else f"{value:,.{digits}f}"


def _values(costs: Sequence[Cost], name: str) -> tuple[list[Size], list[float]]:
    return [cost.size for cost in costs], [max(float(getattr(cost, name)), 1e-9) for cost in costs]


_ASSUMPTIONS = (
    "These are sums carried on by four to five orders of magnitude, not measurements. They assume",
    "",
    "- the frequencies of the simulated cohort, of which every tenth allele has one over 1 %. Among the",
    "  variants of a biobank far fewer do, and a rare one costs what its carriers cost: an upper bound;",
    "- GT alone in the input, one callset, 10 phenotypes of a scan in one ancestry, every test stored, and a",
    "  catalogue as large as the cohort;",
    "- executors as quick as these cores, reading their store as quickly as this disk, and not waiting for",
    "  each other: bins of 10 million bases give some 320 partitions, and files of 128 MiB many more tasks;",
    f"- kinship from {BIOBANK.sites:,} sites (`relatedness.max_sites`), where all pairs are compared. The",
    "  shuffle of the calls, which grows with the number of blocks, is not in the bytes.",
)
