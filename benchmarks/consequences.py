"""``make bench-consequences``: a megabase of dbSNP annotated with every gene of chr21, beside plain csq.

Times `annotate_consequences` in a warm session, commit and counters included, then an increment of 1 %, and
the CPU of csq's own processes against ``bcftools csq -l`` run once over the same alleles and genes. The data
are outside: ``ALLOFUS_TEST_DATA`` names the folder, as for the tests.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pysam
from pysam import bcftools
from rich.console import Console

from allofus_spark.consequences import annotate_consequences
from allofus_spark.consequences.csq_calls import Allele, CsqCall
from allofus_spark.consequences.genes import read_genes
from allofus_spark.genome import load_build
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import VARIANTS, Warehouse
from benchmarks.engines import outside_data

SITES = "known_sites/dbsnp149_chr21_25.0-26.0M.grch38.vcf.gz"
FASTA = "reference/grch38_chr21_real_24985581-26023859.fa.gz"
GENES = "reference/ensembl_grch38_chr21_full.gff3.gz"
CONTIG, SPELLING = "chr21", "21"
RANGES = 4
INCREMENT_EVERY = 100


def main() -> None:
    """Command line."""
    options = _parser().parse_args()
    data = outside_data()
    console = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overrides = [
            f"spark.master=local[{options.cores}]",
            f"genome.reference_fasta={data / FASTA}",
            f"consequences.gff3={data / GENES}",
        ]
        spark = start_session(load_settings(warehouse=name, overrides=overrides), app_name="benchmark")
        most, some = _divided(data / SITES, folder)
        for number in range(options.repeat + 1):
            settings = load_settings(warehouse=f"{name}/{number}", overrides=overrides)
            warehouse = Warehouse(spark, settings)
            times = [_annotate(warehouse, vcf) for vcf in (most, some)]
            if number:  # the first one warms up
                console.print(f"{times[0]}; then 1 % more: {times[1]}")
        alleles = [
            Allele(row.position, row.ref, row.alt)
            for row in warehouse.live(VARIANTS).orderBy("position", "ref", "alt").collect()
        ]
        spark.stop()
        console.print(_compare_with_plain_csq(alleles, data, folder))


def _divided(sites: Path, folder: Path) -> tuple[Path, Path]:
    """The records in two files: 99 % and 1 %."""
    parts = folder / "most.vcf", folder / "some.vcf"
    with pysam.VariantFile(str(sites)) as records:
        writers = [pysam.VariantFile(str(part), "w", header=records.header) for part in parts]
        for number, record in enumerate(records):
            writers[number % INCREMENT_EVERY == 0].write(record)
        for writer in writers:
            writer.close()
    return parts


def _annotate(warehouse: Warehouse, vcf: Path) -> str:
    ingest_genotypes(warehouse, [str(vcf)], callset_id=vcf.stem, callset_date="2026-01-01", build="GRCh38")
    begun = time.perf_counter()
    counters = annotate_consequences(warehouse)
    return f"{counters['variants_annotated']:,} alleles in {time.perf_counter() - begun:.2f} s"


def _compare_with_plain_csq(alleles: list[Allele], data: Path, folder: Path) -> str:
    """Median CPU seconds of csq's processes, in ranges and as one plain run."""
    fasta, gff3 = str(data / FASTA), str(data / GENES)
    with pysam.FastaFile(fasta) as reference:
        length = reference.get_reference_length(SPELLING)
    genes = read_genes(gff3, load_build("GRCh38")).of(CONTIG).genes
    call = CsqCall(CONTIG, SPELLING, length, fasta, (), genes)
    vcf = folder / "plain.vcf"
    lines = [f"{SPELLING}\t{a.position}\t.\t{a.ref}\t{a.alt}\t.\t.\t.\n" for a in alleles]
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    vcf.write_text(f"##fileformat=VCFv4.2\n##contig=<ID={SPELLING}>\n{columns}{''.join(lines)}")
    size = -(-len(alleles) // RANGES)

    def in_ranges() -> None:
        for start in range(0, len(alleles), size):
            call.answer(alleles[start : start + size])

    def plain() -> None:
        process = os.fork()
        if process == 0:
            bcftools.csq("-l", "-v", "0", "-f", fasta, "-g", gff3, str(vcf))
            os._exit(0)
        os.waitpid(process, 0)

    ours, theirs = (statistics.median(_cpu_of_children(run) for _ in range(7)) for run in (in_ranges, plain))
    return (
        f"CPU of csq in {RANGES} ranges {ours:.3f} s, of one plain run {theirs:.3f} s: {ours / theirs:.2f} ×"
    )


def _cpu_of_children(run: Callable[[], None]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Annotate a megabase of dbSNP with the genes of chr21.")
    parser.add_argument("--cores", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs after a warm-up (%(default)s)")
    return parser


if __name__ == "__main__":
    main()
