"""A cohort with every kind of site and call: sexes, filters, QUAL, IDs, symbolic alleles, trimmed alleles."""

from __future__ import annotations

from pathlib import Path

from tests.reference.sex_cohort import ANCESTRIES, SAMPLES, SEXES, simulate
from tests.reference.vcf_text import write_samples

BUILD = "GRCh38"
QUALS = (".", "30", "1e-05", "0.1", "123.456", "99.99999999999999", "1e+30")
FILTERS = ("PASS", ".", "LowQual", "s50;q10", "PASS")
IDS = (".", "rs1", "rs2;esv3")
# Position, REF, ALT and the call of every sample in turn. The alleles of 1,000 are trimmed to different
# positions, and only the second is common.
SITES = (
    (900, "AC", "A", ("0/0", "0/1", "./.")),
    (1_000, "CAA", "CA,CAG", ("0/2", "2/2", "0/0", "0/2", "1/2", "0/2", "2/2", "0/2")),
    (2_000, "T", "<DEL>", ("0/0", "0/1", "1/1", "./.")),
    (2_000, "T", "<INS:ME:ALU>", ("0/0",) * 9 + ("0/1",)),
    (3_000, "G", "G[chr7:5000000[", ("0/0",) * 7 + ("0/1",)),
    (4_000, "A" * 60, "A", ("0/0", "0/1")),
    (5_000, "C", "T", ("0/0",) * 5 + ("0/1",)),
    (5_001, "C", "T", ("1/1",)),
)
# Not a chromosome of the build: it comes last.
OTHER_CONTIG = "chrUn_KI270302v1"
OTHER_SITES = ((7, "G", "A", ("0/1", "./.", "1/1")),)
CONTIGS = ("chr2", "chr7", "chrX", "chrY", "chrM", OTHER_CONTIG)


def write_cohort(path: Path) -> Path:
    """The VCF: the sites above, then those of the sex cohort."""
    rows = [
        (contig, position, ref, alt, [calls[index % len(calls)] for index in range(len(SAMPLES))])
        for contig, sites in ((OTHER_CONTIG, OTHER_SITES), ("chr2", SITES))
        for position, ref, alt, calls in sites
    ]
    rows += [(*item.record[:4], list(item.record.gts)) for item in simulate(seed=11)]
    with path.open("w") as file:
        file.write("##fileformat=VCFv4.2\n")
        file.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
        file.write("\t".join([*fixed, *SAMPLES]) + "\n")
        for number, (chrom, position, ref, alt, gts) in enumerate(rows):
            site = [IDS[number % 3], ref, alt, QUALS[number % 7], FILTERS[number % 5]]
            file.write("\t".join([chrom, str(position), *site, ".", "GT", *gts]) + "\n")
    return path


def write_people(path: Path) -> Path:
    """The sample file: ids, sex karyotypes and ancestries, some of them not known."""
    columns = {"sample_id": SAMPLES, "sex_karyotype": list(SEXES.values()), "ancestry": ANCESTRIES}
    return write_samples(path, columns)
