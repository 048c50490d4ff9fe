"""Lines of a map of known associations in the columns of the Phenotype-Genotype Reference Map."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

COLUMNS = (
    *("assoc_ID", "SNP_hg19", "SNP_hg38", "ancestry", "rsID", "risk_allele_dir", "risk_allele", "phecode"),
    *("phecode_string", "cat_LOG10_P", "cat_OR", "cat_L95", "cat_U95", "Study_accession"),
    *("category_string", "pubmedid"),
)
ORDINARY = {
    "SNP_hg19": "1:1000:A:G",
    "SNP_hg38": "1:1000:A:G",
    "ancestry": "EUR",
    "risk_allele_dir": "alt",
    "risk_allele": "G",
    "phecode": "250.2",
    "phecode_string": "Type 2 diabetes",
    "cat_LOG10_P": "12",
    "cat_OR": "1.5",
    "cat_L95": "1.3",
    "cat_U95": "1.7",
    "category_string": "endocrine",
}


def write_map(path: Path, lines: Iterable[Mapping[str, str]], without: Iterable[str] = ()) -> Path:
    """A CSV of lines, which say only in what they differ from ORDINARY."""
    columns = [name for name in COLUMNS if name not in set(without)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {**ORDINARY, "assoc_ID": str(number), **line} for number, line in enumerate(lines, 1)
        )
    return path


def write_frequencies(path: Path, rows: Mapping[str, Mapping[str, float]], key: str = "SNP_hg38") -> Path:
    """Frequencies of alt by key and ancestry."""
    ancestries = sorted({name for row in rows.values() for name in row})
    lines = [",".join([key, *(f"{name.upper()}_RAF" for name in ancestries)])]
    lines += [
        ",".join([name, *(str(row[ancestry]) for ancestry in ancestries)]) for name, row in rows.items()
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
