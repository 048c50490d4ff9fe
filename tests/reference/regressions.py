"""Data of association tests from other projects, and the same regressions by Hail and PLINK 2."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cyvcf2 import VCF

from allofus_spark.regression import Covariates

Floats = npt.NDArray[np.float64]
Calls = npt.NDArray[np.int8]
PLINK_A1 = np.array([2, 3, 1, 0], np.int8)  # copies of A1 by the code of a .bed, 3: missing


@dataclass(frozen=True)
class Study:
    """Calls int8[variants, people] (3: missing), covariates, and values of phenotypes by name."""

    calls: Calls
    covariates: Covariates
    phenotypes: dict[str, Floats]


def bi_allelic_calls(vcf: Path) -> tuple[list[str], Calls]:
    """Samples, and the calls of the records with one alt, by cyvcf2."""
    reader = VCF(str(vcf), gts012=True)
    calls = [record.gt_types.astype(np.int8) for record in reader if len(record.ALT) == 1]
    return list(reader.samples), np.array(calls, np.int8)


def table(path: Path, delimiter: str = "\t") -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter=delimiter))


def epacts(realdata: Path) -> Study:
    """Hail's set for EPACTS: 2,535 people, 1,228 cases, sex and two PCs."""
    folder = realdata / "peer_assoc" / "hail"
    samples, calls = bi_allelic_calls(folder / "regressionLogisticEpacts.vcf")
    scores = {row["IND_ID"]: row for row in table(folder / "regressionLogisticEpacts.cov")}
    fam = {
        line.split()[1]: line.split()
        for line in (folder / "regressionLogisticEpacts.fam").read_text().splitlines()
    }
    given = [[float(fam[s][4] == "2"), *(float(scores[s][pc]) for pc in ("PC1", "PC2"))] for s in samples]
    cases = np.array([float(fam[s][5] == "2") for s in samples])
    return Study(calls, Covariates(("is_female", "PC1", "PC2"), np.array(given)), {"case": cases})


def glow(realdata: Path) -> Study:
    """Glow's set: 2,504 people, ten binary and ten quantitative traits, six covariates."""
    import gzip

    folder = realdata / "peer_assoc" / "glow_gwas"
    samples, calls = bi_allelic_calls(folder / "genotypes.vcf.gz")

    def read(name: str) -> tuple[list[str], Floats]:
        with gzip.open(folder / name, "rt") as lines:
            header, *rows = list(csv.reader(lines))
        by_sample = {row[0]: [float(value or "nan") for value in row[1:]] for row in rows}
        return header[1:], np.array([by_sample[sample] for sample in samples])

    names, values = read("covariates.csv.gz")
    phenotypes = {}
    for file in ("binary-phenotypes.csv.gz", "continuous-phenotypes.csv.gz"):
        traits, columns = read(file)
        phenotypes |= dict(zip(traits, columns.T, strict=True))
    return Study(calls, Covariates(tuple(names), values), phenotypes)


def regenie(realdata: Path) -> tuple[Study, list[dict[str, str]]]:
    """regenie's example without the six people whom it removes, and the rows that it stores for Y1."""
    folder = realdata / "peer_assoc" / "regenie_example"
    people = [line.split()[1] for line in (folder / "example.fam").read_text().splitlines()]
    removed = {line.split()[1] for line in (folder / "fid_iid_to_remove.txt").read_text().splitlines()}
    packed = np.fromfile(folder / "example.bed", np.uint8)[3:].reshape(-1, (len(people) + 3) // 4)
    codes = np.stack([(packed >> shift) & 3 for shift in (0, 2, 4, 6)], axis=-1)
    calls = PLINK_A1[codes.reshape(len(packed), -1)[:, : len(people)]]
    kept = np.array([person not in removed for person in people])
    given = {row["IID"]: row for row in table(folder / "covariates.txt", " ")}
    traits = {row["IID"]: row for row in table(folder / "phenotype_bin.txt", " ")}
    names = ("V1", "V2", "V3")
    values = np.array([[float(given[person][name]) for name in names] for person in people])
    cases = np.array([float(traits[person]["Y1"]) for person in people])
    study = Study(calls[:, kept], Covariates(names, values[kept]), {"Y1": cases[kept]})
    return study, table(folder / "test_bin_out_firth_Y1.regenie", " ")


def write_vcf(path: Path, calls: Calls) -> Path:
    """A VCF of calls: people s0, s1, ..., sites 1:1, 1:2, ..., A to C."""
    text = np.array(["0/0", "0/1", "1/1", "./."])
    people = "\t".join(f"s{person}" for person in range(calls.shape[1]))
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1,length=249250621>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{people}",
    ]
    for row, values in enumerate(calls):
        lines.append(f"1\t{row + 1}\tv{row}\tA\tC\t.\t.\t.\tGT\t" + "\t".join(text[values]))
    path.write_text("\n".join(lines) + "\n")
    return path


def by_hail(
    hail: Any, vcf: Path, phenotypes: Sequence[Floats], covariates: Covariates, ask: Callable[..., Any]
) -> list[Any]:
    """Rows of a Hail regression: ``ask(phenotypes, dosage, covariates)`` of expressions gives its table."""
    rows = hail.import_vcf(str(vcf), reference_genome="GRCh37").add_col_index()

    def column(values: Iterable[float]) -> Any:
        known = [None if np.isnan(value) else float(value) for value in values]
        return hail.literal(known, hail.tarray(hail.tfloat64))[hail.int32(rows.col_idx)]

    given = [1.0, *(column(values) for values in covariates.values.T)]
    return ask([column(values) for values in phenotypes], rows.GT.n_alt_alleles(), given).collect()


def firth_by_plink(
    plink2: str, folder: Path, vcf: Path, cases: Floats, covariates: Covariates
) -> dict[str, tuple[float, float]]:
    """beta of alt and its standard error by variant, of ``plink2 --glm firth``."""
    phenotype, given = folder / "case.tsv", folder / "covariates.tsv"
    people = [f"s{person}" for person in range(len(cases))]
    phenotype.write_text(
        "#IID\tcase\n" + "".join(f"{p}\t{int(v) + 1}\n" for p, v in zip(people, cases, strict=True))
    )
    given.write_text(
        "\t".join(("#IID", *covariates.names))
        + "\n"
        + "".join(
            "\t".join((p, *map(repr, map(float, row)))) + "\n"
            for p, row in zip(people, covariates.values, strict=True)
        )
    )
    subprocess.run(
        [plink2, "--vcf", str(vcf), "--pheno", str(phenotype), "--covar", str(given),
         "--covar-variance-standardize", "--glm", "firth", "hide-covar", "omit-ref", "cols=+beta",
         "--threads", "1", "--out", str(folder / "plink")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = {}
    for row in table(folder / "plink.case.glm.firth"):
        beta = row.get("BETA")
        value = np.log(float(row["OR"])) if beta is None else float(beta)
        error = row.get("LOG(OR)_SE") or row["SE"]
        found[row["ID"]] = (value, float(error))
    return found
