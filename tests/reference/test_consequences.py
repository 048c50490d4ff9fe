"""Consequences against bcftools csq run directly, its own stored answers, a known variant and ClinVar."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pysam
import pytest

from allofus_spark.consequences import annotate_consequences
from allofus_spark.consequences.csq import CsqOfContig, csq_annotator
from allofus_spark.consequences.terms import all_terms
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.genome import load_build
from allofus_spark.ingest import ingest_samples
from allofus_spark.query import run_query
from allofus_spark.settings import load_settings
from allofus_spark.tables import CONSEQUENCES, VARIANTS, Warehouse
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

from .csq_cases import Case, alleles_of, end_to_end, find_cases, sequences_of, stored_answers
from .csq_effects import same
from .direct_csq import a_line_for_each_parent, read_answer, run_directly, write_vcf
from .engine import ingest, read_rows

pytestmark = pytest.mark.long


Key = tuple[str, int, str, str]

# csq calls every complex change a feature_elongation or feature_truncation of transcripts that it lies in.
# Rows leave that out where csq also says what the change does: here, that it loses the start,
LOST_START_OF_PEX26 = (18, "GTTATGAAGAGCGATTCTTC", "TGCAGCCCCCCTCAGGGGGCTCGGGG")
# or where it lies, by first base of dbSNP's allele.
IN_INTRONS = {
    *(25641212, 25669379, 25688309, 25697005, 25897293, 25903096, 25905957, 25909561, 25943364, 25958559),
    *(25958565, 25979809, 25979821, 25980678, 25990798),
}
IN_NON_CODING = {25022339, 25221056, 25394574}

# Answers that one allele alone does not have: of haplotypes made of several records (the first two), and of a
# stop in a CDS whose end is not known, which -l calls stop_gained&stop_retained.
HAPLOTYPE_ONLY = {
    "EDUMMY0001/starts-with-1.txt",
    "ENST00000269081/stop-gained-not-inframe-insertion.txt",
    "ENST00000528237/retained-stop-incomplete-cds.txt",
}
# The file's own REF reaches past the bases of its FASTA.
PAST_THE_END = ("ENST00000294661", (9715, "GCCGGAAA", "G"))
# With samples: the file has their calls beside the answers.
WITH_SAMPLES = {"ENST00000381157/haploid-diploid.txt"}


def csq_of(fasta: Path, gff3: Path, build: str) -> CsqOfContig:
    """The function that tasks call."""
    overrides = [f"consequences.gff3={gff3}", f"genome.reference_fasta={fasta}"]
    made = csq_annotator(load_settings(overrides=overrides), load_build(build)).open().annotate
    assert isinstance(made, CsqOfContig)
    return made


def annotate(csq: CsqOfContig, contig: str, alleles: Iterable[tuple[int, str, str]]) -> list[dict[str, Any]]:
    columns = list(zip(*sorted(set(alleles)), strict=True))
    batch = pa.record_batch(
        {
            "contig": [contig] * len(columns[0]),
            "bin": pa.array([0] * len(columns[0]), pa.int32()),
            "position": pa.array(columns[0], pa.int32()),
            "ref": list(columns[1]),
            "alt": list(columns[2]),
        }
    )
    return csq(batch).to_pylist()


def key_of(row: dict[str, Any]) -> Key:
    return row["contig"], row["position"], row["ref"], row["alt"]


def by_allele(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[Key, list[dict[str, Any]]]]:
    for key, group in groupby(rows, key_of):
        yield key, list(group)


def write_genome(cases: Iterable[Case], folder: Path) -> tuple[Path, Path]:
    """FASTA and GFF3 of the cases' contigs."""
    cases = list(cases)
    fasta, gff3 = folder / "cases.fa", folder / "cases.gff3"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in sequences_of(cases).items()))
    pysam.faidx(str(fasta))
    gff3.write_text("\n".join(line for case in cases for line in case.gff3_lines) + "\n")
    return fasta, gff3


@pytest.fixture(scope="module")
def peer(realdata: Path) -> list[Case]:
    """bcftools' own cases."""
    return find_cases(realdata / "peer_csq" / "bcftools_test_csq")


def test_every_case_says_through_spark_what_csq_says_directly(
    peer: list[Case], tmp_path: Path, new_warehouse: Callable[..., Warehouse]
) -> None:
    cases = end_to_end(peer)
    fasta, gff3 = write_genome(cases, tmp_path)
    records = [
        gt_record("0/1", contig=case.contig, pos=position, ref=ref, alt=alt)
        for case in cases
        for position, ref, alt in case.moved_alleles
    ]
    vcf = write_bytes(tmp_path / "cases.vcf", vcf_text(records, ("S",)))
    settings = ("ingest.max_rejected_share=1", "consequences.variants_per_range=20")
    warehouse = new_warehouse(f"genome.reference_fasta={fasta}", f"consequences.gff3={gff3}", *settings)
    ingest(warehouse, vcf, build=str(fasta))
    counters = annotate_consequences(warehouse)

    rows = dict(by_allele(read_rows(warehouse, CONSEQUENCES).to_pylist()))
    alleles = [key_of(row) for row in read_rows(warehouse, VARIANTS).to_pylist()]
    assert counters["variants_annotated"] == len(alleles) == len(rows) == 126
    refused = {key for key in alleles if rows[key][0]["not_annotated"] is not None}
    assert Counter(rows[key][0]["not_annotated"] for key in refused) == {"not_in_reference": 2}
    calls = []
    for contig in sequences_of(cases):
        asked = [key[1:] for key in alleles if key[0] == contig and key not in refused]
        vcf = write_vcf(tmp_path / f"{contig}.vcf", contig, asked)
        # To csq an id means one gene in the whole file, and two cases share some.
        genes = tmp_path / f"{contig}.gff3"
        genes.write_text("".join(line for line in gff3.open() if line.startswith(f"{contig}\t")))
        calls.append((fasta, genes, vcf, tmp_path / f"{contig}.answer.vcf"))
    run_directly(calls)
    compared, differ = 0, []
    for contig, (*_, answer) in zip(sequences_of(cases), calls, strict=True):
        for allele, text in read_answer(answer):
            compared += 1
            mine = rows[(contig, *allele)]
            if not same(text, mine):
                differ.append((allele[1:], text.partition("|")[0], mine[0]["terms"]))
    assert differ == [(LOST_START_OF_PEX26[1:], "start_lost&feature_elongation", ["start_lost"])]
    assert compared == len(alleles) - len(refused)


def test_stored_answers_of_bcftools_are_given(peer: list[Case], tmp_path: Path) -> None:
    fasta, gff3 = write_genome(peer, tmp_path)
    csq = csq_of(fasta, gff3, str(fasta))
    compared, differ = dict.fromkeys((".txt", ".txt-l"), 0), []
    files = {file for case in peer for file in (*case.folder.glob("*.txt"), *case.folder.glob("*.txt-l"))}
    for file in sorted(file for file in files if file.stem != "ascii-art"):
        name = f"{file.parent.name}/{file.name}"
        if name in HAPLOTYPE_ONLY | WITH_SAMPLES:
            continue
        compared[file.suffix] += 1
        here = [case for case in peer if case.folder == file.parent and case.gff3.stem == file.parent.name]
        for allele, text in stored_answers(file):
            if allele[2] in (".", allele[1]) or (file.parent.name, allele) == PAST_THE_END:
                continue
            answers = [
                same(text, annotate(csq, case.contig, [allele])) for case in here if allele in case.alleles
            ]
            if not any(answers):
                differ.append((name, allele, text))
    assert not differ
    assert compared == {".txt": 46, ".txt-l": 25}


@pytest.fixture(scope="module")
def chr21(realdata: Path) -> tuple[Path, Path, list[tuple[int, str, str]]]:
    """FASTA, GFF3, and dbSNP's alleles of 1 Mb of chr21 that the FASTA has."""
    folder = realdata / "reference"
    fasta = folder / "grch38_chr21_real_24985581-26023859.fa.gz"
    known = realdata / "known_sites" / "dbsnp149_chr21_25.0-26.0M.grch38.vcf.gz"
    with pysam.FastaFile(str(fasta)) as held:
        sequence, start = held.fetch("21", 24_990_000, 26_010_000), 24_990_000
    alleles = sorted(
        allele
        for _, allele in alleles_of(known)
        if sequence[allele[0] - 1 - start :][: len(allele[1])] == allele[1]
    )
    return fasta, folder / "ensembl_grch38_chr21_full.gff3.gz", sorted(set(alleles))


def test_a_megabase_of_dbsnp_in_ranges_in_any_order(
    chr21: tuple[Path, Path, list[tuple[int, str, str]]], tmp_path: Path
) -> None:
    fasta, gff3, alleles = chr21
    assert len(alleles) > 115_000
    answer = tmp_path / "answer.vcf"
    one_parent = a_line_for_each_parent(gff3, tmp_path / "genes.gff3")
    run_directly([(fasta, one_parent, write_vcf(tmp_path / "alleles.vcf", "21", alleles), answer)])
    expected = dict(read_answer(answer))
    assert len(expected) == len(alleles)

    csq = csq_of(fasta, gff3, "GRCh38")
    size = 17_000
    starts = list(range(0, len(alleles), size))
    found, differ = 0, dict[int, set[str]]()
    for start in starts[::-2] + starts[-2::-2]:
        rows = annotate(csq, "chr21", alleles[start : start + size])
        for (_, *allele), mine in by_allele(rows):
            found += 1
            if not same(expected[tuple(allele)], mine):
                differ[allele[0]] = {term for row in mine for term in row["terms"]}
    assert found == len(alleles)
    introns, non_coding = {"intron_variant"}, {"non_coding_transcript_variant"}
    assert {place for place, terms in differ.items() if terms & introns} == IN_INTRONS
    # One lies in the exon of a transcript without a protein, too.
    assert {place for place, terms in differ.items() if terms & non_coding} == {25897293, *IN_NON_CODING}
    assert all(terms <= introns | non_coding for terms in differ.values())
    assert differ.keys() == IN_INTRONS | IN_NON_CODING


def test_rs4680_of_2504_people_is_missense_in_comt(
    realdata: Path, new_warehouse: Callable[..., Warehouse]
) -> None:
    folder = realdata / "reference"
    warehouse = new_warehouse(
        f"genome.reference_fasta={folder / 'grch37_chr22_1-22000000.fa.gz'}",
        f"consequences.gff3={folder / 'grch37_chr22_GAB4_ADA2_COMT.derived.gff3'}",
    )
    panel = realdata / "ancestry" / "integrated_call_samples_v3.20130502.ALL.panel.tsv"
    columns = {"sample_id": "sample", "ancestry": "super_pop"}
    ingest_samples(warehouse, str(panel), callset_id="c", columns=columns)
    counters = ingest(warehouse, realdata / "multisample" / "pgx_grch37_2504" / "COMT.vcf.gz", build="GRCh37")
    assert annotate_consequences(warehouse)["variants_annotated"] == counters["alleles_read"]
    compute_frequencies(warehouse)
    seen = run_query(warehouse, "SELECT * FROM vat WHERE vid = '22-19951271-G-A'").first()
    published = {"all": 0.3692, "afr": 0.2806, "amr": 0.3775, "eas": 0.2798, "eur": 0.5, "sas": 0.4407}
    assert {name: round(seen[f"gvs_{name}_af"], 4) for name in published} == published
    assert (list(seen.consequence), seen.aa_change, seen.gvs_max_subpop) == (
        ["missense_variant"], "158V>158M", "eur"
    )  # fmt: skip
    rows = dict(by_allele(read_rows(warehouse, CONSEQUENCES).to_pylist()))
    (row,) = rows["22", 19951271, "G", "A"]
    assert (row["terms"], row["aa_change"], row["impact"]) == (["missense_variant"], "158V>158M", "MODERATE")
    assert (row["gene_symbol"], row["is_coding"], row["is_most_severe"]) == ("COMT", True, True)
    (silent,) = rows["22", 19950235, "C", "T"]
    assert (silent["terms"], silent["aa_change"]) == (["synonymous_variant"], "62H")


@pytest.fixture(scope="module")
def brca1(realdata: Path) -> dict[Key, list[dict[str, Any]]]:
    """Rows of ClinVar's alleles of BRCA1 in its MANE transcript."""
    folder = realdata / "reference"
    gff3 = folder / "grch38_BRCA1_ENST00000357654.gff3"
    csq = csq_of(folder / "grch38_brca2chr13_brca1chr17.fa.gz", gff3, "GRCh38")
    known = realdata / "known_sites" / "clinvar_20201107_brca1_11033.grch38.vcf.gz"
    rows = annotate(csq, "chr17", (allele for _, allele in alleles_of(known)))
    return dict(by_allele(rows))


def is_complex(ref: str, alt: str) -> bool:
    """Whether several bases stand for several others."""
    while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        ref, alt = ref[1:], alt[1:]
    return len(ref) > 1 and len(alt) > 1


def test_answers_of_bcftools_1_16_on_brca1(realdata: Path, brca1: dict[Key, list[dict[str, Any]]]) -> None:
    """What 1.16 said other than 1.24: of complex changes, and no amino acids of a start that is lost."""
    stored = realdata / "peer_csq" / "expected_bcftools1.16_csq_vs_clinvarMC_BRCA1_grch38.tsv"
    why, compared = Counter[str](), 0
    with stored.open(newline="") as file:
        for contig, position, _, ref, alt, _, text in csv.reader(file, delimiter="\t"):
            rows = brca1.get((contig, int(position), ref, alt))
            if rows is None:
                assert alt == "."  # no allele
                continue
            compared += 1
            if same(text.removeprefix("."), rows):
                continue
            if text.startswith("start_lost") and rows[0]["terms"] == ["start_lost"]:
                why["amino acids of a lost start"] += 1
            elif is_complex(ref, alt):
                why["complex"] += 1
            else:
                raise AssertionError((position, ref, alt, text, rows))
    assert compared == 11_030
    assert why == {"complex": 47, "amino acids of a lost start": 9}


# Names that ClinVar had in 2020 for terms of today.
OLD_NAMES = {
    "nonsense": "stop_gained",
    "initiatior_codon_variant": "start_lost",
    "inframe_indel": "protein_altering_variant",
    "non-coding_transcript_variant": "non_coding_transcript_variant",
    "2KB_upstream_variant": "upstream_gene_variant",
    "500B_downstream_variant": "downstream_gene_variant",
}
# Alleles by the most severe term that ClinVar gives (of all of its transcripts; ours is the one of MANE): how
# many have it here, of how many.
AGREEMENT = {
    "3_prime_UTR_variant": (44, 44),
    "5_prime_UTR_variant": (73, 73),
    "frameshift_variant": (1935, 1936),
    "inframe_deletion": (63, 63),
    "inframe_insertion": (6, 6),
    "intron_variant": (1477, 1991),
    "missense_variant": (4448, 4495),
    "protein_altering_variant": (5, 15),
    "splice_acceptor_variant": (134, 154),
    "splice_donor_variant": (137, 152),
    "start_lost": (9, 18),
    "stop_gained": (710, 724),
    "stop_lost": (0, 6),
    "synonymous_variant": (1302, 1303),
}


def test_agreement_with_the_consequences_that_clinvar_gives(
    realdata: Path, brca1: dict[Key, list[dict[str, Any]]]
) -> None:
    terms = all_terms()
    agree, total = Counter[str](), Counter[str]()
    with gzip.open(realdata / "known_sites" / "clinvar_20201107_brca1_11033.grch38.vcf.gz", "rt") as lines:
        for line in lines:
            if line.startswith("#") or ";MC=" not in line:
                continue
            contig, position, _, ref, alt, _, _, info = line.rstrip("\n").split("\t")
            tags = info.partition(";MC=")[2].partition(";")[0].split(",")
            names = [OLD_NAMES.get(name, name) for name in (tag.partition("|")[2] for tag in tags)]
            said = min(names, key=lambda name: terms[name].rank)
            if rows := brca1.get((contig, int(position), ref, alt)):
                total[said] += 1
                agree[said] += any(said in row["terms"] for row in rows)
    assert {name: (agree[name], count) for name, count in total.items()} == AGREEMENT
