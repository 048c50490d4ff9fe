"""Normal forms against `bcftools norm -m- -f`; its output is trimmed here, as it keeps shared first bases."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam
import pytest

from allofus_spark.genome import Build, ReferenceSequence, load_build, normalise_alleles, reference_mismatches

from .plain_alleles import plain_trim

N_ALLELES = 10_000


def repeat_rich(rng: np.random.Generator) -> str:
    """Random bases, homopolymers, microsatellites, a few long tandem repeats; a repeat at the very start."""
    pieces = ["CA" * 700]
    while sum(map(len, pieces)) < 60_000:
        pieces.append("".join(rng.choice(list("ACGT"), rng.integers(1, 30))))
        unit = "".join(rng.choice(list("ACGT"), rng.integers(1, 7)))
        pieces.append(unit * int(rng.integers(1, 500 if rng.random() < 0.02 else 15)))
    return "".join(pieces)


def random_alleles(sequence: str, rng: np.random.Generator) -> list[tuple[int, str, str]]:
    """Mostly slippage (neighbouring bases put in or taken out), some of it written with more bases."""
    alleles = []
    while len(alleles) < N_ALLELES:
        start, size, before = (
            int(n) for n in (rng.integers(len(sequence) - 50), rng.integers(1, 14), rng.integers(3))
        )
        ref = sequence[start : start + 1 + size + before]
        kind = rng.random()
        if kind < 0.4:
            alt = ref[: 1 + before]
        elif kind < 0.8:
            alt = ref + ref[-size:]
        elif kind < 0.9:
            alt = ref[:-1] + "".join(rng.choice(list("ACGT"), size))
        else:
            alt = ref[size:]
        if alt != ref:
            alleles.append((start + 1, ref, alt))
    return alleles


def write_vcf(path: Path, sequence: str, alleles: list[tuple[int, str, str]]) -> None:
    with path.open("w") as file:
        file.write(f"##fileformat=VCFv4.2\n##contig=<ID=chrT,length={len(sequence)}>\n")
        file.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for number, (position, ref, alt) in sorted(enumerate(alleles), key=lambda numbered: numbered[1][0]):
            file.write(f"chrT\t{position}\t{number}\t{ref}\t{alt}\t.\t.\t.\n")


def records_of(command: list[str]) -> list[list[str]]:
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t")[:5] for line in text.splitlines() if not line.startswith("#")]


def test_random_indels_in_repeats(tmp_path: Path, oracle: Callable[[str], str]) -> None:
    rng = np.random.default_rng(20150115)
    sequence = repeat_rich(rng)
    alleles = random_alleles(sequence, rng)
    fasta, vcf = tmp_path / "ref.fa", tmp_path / "in.vcf"
    fasta.write_text(f">chrT\n{sequence}\n")
    pysam.faidx(str(fasta))
    write_vcf(vcf, sequence, alleles)
    records = records_of([oracle("bcftools"), "norm", "-m-", "-f", str(fasta), str(vcf)])
    assert len(records) == N_ALLELES
    expected = {int(record[2]): plain_trim(int(record[1]), *record[3:5]) for record in records}

    reference = ReferenceSequence(fasta, Build("ref", {"chrT": len(sequence)}))
    positions, refs, alts = normalise_alleles(
        "chrT",
        np.array([position for position, _, _ in alleles]),
        [ref.encode() for _, ref, _ in alleles],
        [alt.encode() for _, _, alt in alleles],
        reference,
    )
    for number, form in enumerate(zip(positions.tolist(), refs, alts, strict=True)):
        assert (form[0], form[1].decode(), form[2].decode()) == expected[number], alleles[number]
    assert np.mean([form != allele for form, allele in zip(expected.values(), alleles, strict=True)]) > 0.5


@pytest.mark.long
def test_every_allele_of_real_chromosome_22(
    realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    bcftools = oracle("bcftools")
    fasta = realdata / "reference" / "grch37_chr22_1-22000000.fa.gz"
    source = realdata / "multisample" / "1kg_p3_2504_chr22_16.05-16.5M.grch37.vcf.gz"
    sites = tmp_path / "sites.vcf"
    subprocess.run([bcftools, "view", "-G", "-o", str(sites), str(source)], check=True)
    normal = records_of([bcftools, "norm", "-m-", "-f", str(fasta), str(sites)])
    expected = [plain_trim(int(pos), ref, alt) for _, pos, _, ref, alt in normal if not alt.startswith("<")]

    split = [
        (int(pos), ref.encode(), alt.encode())
        for _, pos, _, ref, alts in records_of([bcftools, "view", str(sites)])
        for alt in alts.split(",")
        if not alt.startswith("<")
    ]
    assert len(split) > 6_000
    positions = np.array([position for position, _, _ in split])
    refs, alts = [ref for _, ref, _ in split], [alt for _, _, alt in split]
    reference = ReferenceSequence(fasta, load_build("GRCh37"))
    assert not reference_mismatches("22", positions, refs, reference).any()
    moved, refs, alts = normalise_alleles("22", positions, refs, alts, reference)
    forms = zip(moved.tolist(), refs, alts, strict=True)
    assert sorted((position, ref.decode(), alt.decode()) for position, ref, alt in forms) == sorted(expected)
