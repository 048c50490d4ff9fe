"""The demo's people with the sites that effects are planted at, and some others."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pysam

from tools import health_records as records
from tools.cohort_files import Cohort, Person, write_samples

_KARYOTYPE = {"female": "XX", "male": "XY"}
_ONE_OF = 1_000  # of the sites where nothing is planted


def make_cohort(realdata: Path, folder: Path) -> Cohort:
    """Real calls of 2,504 people, GRCh38, and a samples file."""
    panel = realdata / "ancestry" / "integrated_call_samples_v3.20130502.ALL.panel.tsv"
    rows = pd.read_csv(panel, sep=r"\s+", usecols=["sample", "super_pop", "gender"])
    samples = folder / "samples.tsv"
    write_samples(
        samples,
        [
            Person(sample, _KARYOTYPE[sex], ancestry.lower())
            for sample, ancestry, sex in rows.itertuples(index=False)
        ],
    )
    planted = {effect.key for effect in records.read_effects()} | records.LDL_EFFECTS.keys()
    vcf = folder / "sites.vcf"
    source = realdata / "multisample" / "peddy_1kg_2504_exome_sites.grch38.vcf.gz"
    with gzip.open(source, "rt") as lines, vcf.open("w") as out:
        for number, line in enumerate(lines):
            contig, position, _, ref, alt = f"{line[:200]}\t\t\t\t".split("\t", 5)[:5]
            key = f"{contig.removeprefix('chr')}:{position}:{ref}:{alt}"
            if line.startswith("#") or key in planted or number % _ONE_OF == 0:
                out.write(line)
    pysam.tabix_compress(str(vcf), f"{vcf}.gz", force=True)
    return Cohort(Path(f"{vcf}.gz"), samples)
