"""bcftools csq of the same pysam, run directly: whole genes, one call for all alleles, no code of ours.

python direct_csq.py FASTA GFF3 VCF ANSWER [FASTA GFF3 VCF ANSWER ...]
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pysam import bcftools

Call = tuple[Path, Path, Path, Path]
Allele = tuple[int, str, str]


def run_directly(calls: Iterable[Call]) -> None:
    """Answer every call in one new Python."""
    subprocess.run([sys.executable, __file__, *(str(path) for call in calls for path in call)], check=True)


def a_line_for_each_parent(gff3: Path, target: Path) -> Path:
    """The genes of a gzip GFF3 with lines of several parents repeated: csq passes over such lines."""
    with gzip.open(gff3, "rt") as lines, target.open("w") as out:
        for line in lines:
            before, _, after = line.rstrip("\n").partition("Parent=")
            parents, end, rest = after.partition(";")
            if "," in parents:
                line = "".join(f"{before}Parent={name}{end}{rest}\n" for name in parents.split(","))
            out.write(line)
    return target


def write_vcf(path: Path, contig: str, alleles: Iterable[Allele]) -> Path:
    lines = [f"{contig}\t{position}\t.\t{ref}\t{alt}\t.\t.\t.\n" for position, ref, alt in sorted(alleles)]
    head = f"##fileformat=VCFv4.2\n##contig=<ID={contig}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    path.write_text(head + "".join(lines))
    return path


def read_answer(path: Path) -> Iterator[tuple[Allele, str]]:
    """(allele, text of BCSQ; "": none)."""
    with path.open() as lines:
        for line in lines:
            if not line.startswith("#"):
                _, position, _, ref, alt, _, _, info = line.rstrip("\n").split("\t")
                yield (int(position), ref, alt), info.removeprefix("BCSQ=") if info != "." else ""


def main(paths: list[str]) -> None:
    for place in range(0, len(paths), 4):
        fasta, gff3, vcf, answer = paths[place : place + 4]
        process = os.fork()
        if process == 0:
            Path(answer).write_text(bcftools.csq("-l", "-v", "0", "-f", fasta, "-g", gff3, vcf))
            os._exit(0)
        assert os.waitpid(process, 0)[1] == 0, vcf


if __name__ == "__main__":
    main(sys.argv[1:])
