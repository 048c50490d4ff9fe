"""SIMULATED health records of real genomes: OMOP tables of people who are known by their genotypes alone.

Nobody's health is known of the people whose genotypes the demo uses. Here each of them is given diseases by
chance, more often where they carry what is known to raise the risk: the log odds of a disease are the sum of
the published log odds ratio of each risk allele of `data/demo_known_associations.tsv`, as it is, and of age
and sex. Diseases are made far more common than they are, a third of the people each, so that 2,504 people
tell something. All is drawn from one seed.

What real records do to phenotypes is in them: codes of ICD-9-CM before October 2015 and of ICD-10-CM after,
with dots or without, several on one date, single dates that make no case, codes that mean nothing here, and
LDL cholesterol in two units with impossible values among them.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from isal import igzip
from scipy.special import expit

from tools.cohort_files import Cohort, Person, read_samples
from tools.omop_files import HealthRecords, Truth, write_records

KNOWN_FILE = Path(__file__).with_name("data") / "demo_known_associations.tsv"
SEED = 20_260_101
PREVALENCE = 1 / 3
AGE_EFFECT = 0.15  # log odds of 10 years
MALE_EFFECT = 0.2  # log odds
# LDL cholesterol in mg/dL. Effects of a copy of alt are near those of e2 and e4 of APOE: LDL of e2/e2 is some
# 30 % lower than that of e4/e4 (Bennet et al., JAMA 2007;298:1300).
LDL_MEAN, LDL_SD = 120.0, 30.0
LDL_EFFECTS = {"19:44908822:C:T": -18.0, "19:44908684:T:C": 7.0}

Copies = Mapping[str, npt.NDArray[np.int8]]


class Effect(NamedTuple):
    """A planted effect: log odds of a copy of the risk allele of a variant."""

    key: str
    risk_is_alt: bool
    phecode: str
    log_odds: float


def make_health_records(cohort: Cohort, folder: Path, seed: int = SEED) -> HealthRecords:
    """Simulate records of a cohort's people and write them as OMOP tables, CSV, gzip."""
    people = read_samples(cohort.samples)
    effects = read_effects()
    keys = {effect.key for effect in effects} | LDL_EFFECTS.keys()
    copies = read_copies(cohort.vcf, [person.sample_id for person in people], keys)
    chance = np.random.default_rng(seed)
    truth = draw_truth(people, copies, effects, chance)
    return write_records(folder, people, truth, chance)


def read_effects(path: Path = KNOWN_FILE) -> list[Effect]:
    """The planted effects: those that are known, at the size that is published."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Effect(
                row["SNP_hg38"],
                row["risk_allele_dir"] == "alt",
                row["phecode"],
                float(np.log(float(row["cat_OR"]))),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]


def read_copies(vcf: Path, sample_ids: Sequence[str], keys: Iterable[str]) -> dict[str, npt.NDArray[np.int8]]:
    """Copies of alt of each person, int8[people], -1 without a call, at sites by contig:position:ref:alt.

    Raises ValueError naming sites that the file lacks.
    """
    wanted = set(keys)
    found = {}
    columns: list[int] = []
    with igzip.open(vcf, "rt") as lines:
        for line in lines:
            if line.startswith("#CHROM"):
                place = {name: at for at, name in enumerate(line.rstrip("\n").split("\t"))}
                columns = [place[name] for name in sample_ids]
            if line.startswith("#"):
                continue
            contig, position, _, ref, alt = line[:200].split("\t", 5)[:5]
            key = f"{contig.removeprefix('chr')}:{position}:{ref}:{alt}"
            if key in wanted:
                cells = line.rstrip("\n").split("\t")
                calls = [cells[at][:3].replace("|", "/") for at in columns]
                found[key] = np.array([-1 if "." in call else call.count("1") for call in calls], np.int8)
    if missing := sorted(wanted - found.keys()):
        raise ValueError(f"{vcf} lacks {len(missing)} of {len(wanted)} sites: {', '.join(missing[:5])}")
    return found


def draw_truth(
    people: Sequence[Person], copies: Copies, effects: Iterable[Effect], chance: np.random.Generator
) -> Truth:
    """Ages, diseases and LDL cholesterol by chance, from what people carry."""
    n = len(people)
    is_male = np.array([person.sex_karyotype == "XY" for person in people])
    age = chance.integers(25, 86, n)
    base = AGE_EFFECT * (age - 55) / 10 + MALE_EFFECT * is_male
    risks: dict[str, npt.NDArray[np.float64]] = defaultdict(lambda: base.copy())
    for effect in effects:
        alt = np.maximum(copies[effect.key], 0)
        risks[effect.phecode] += effect.log_odds * (alt if effect.risk_is_alt else 2 - alt)
    is_case = {
        phecode: chance.random(n) < expit(risk + _intercept(risk, PREVALENCE))
        for phecode, risk in sorted(risks.items())
    }
    ldl = chance.normal(LDL_MEAN, LDL_SD, n)
    for key, effect_mg in LDL_EFFECTS.items():
        ldl += effect_mg * np.maximum(copies[key], 0)
    return Truth(is_case, age, is_male, np.maximum(ldl, 30.0))


def _intercept(log_odds: npt.NDArray[np.float64], prevalence: float) -> float:
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(log_odds + middle).mean() < prevalence else (low, middle)
    return low


if __name__ == "__main__":
    from tools.demo_data import CACHE, make_demo_data

    parser = argparse.ArgumentParser(description="Simulated health records of the demo's people.")
    parser.add_argument("--seed", type=int, default=SEED)
    print(
        *make_health_records(make_demo_data(), CACHE / "health_records", parser.parse_args().seed), sep="\n"
    )
