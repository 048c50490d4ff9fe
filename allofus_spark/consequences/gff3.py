"""GFF3 as Ensembl and GENCODE write it, one contig at a time: genes with the lines of their transcripts.

The lines come out in the one spelling that bcftools csq reads: ids as ``gene:`` and ``transcript:``, and
``biotype``. Ids lose the version that GENCODE gives them, so that both spellings give the same rows.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from allofus_spark.bgzip import check_whole
from allofus_spark.errors import BadSource, shown

_PARTS = ("exon", "CDS", "five_prime_UTR", "three_prime_UTR")
_NO_GENES = (
    *("biological_region", "chromosome", "region", "scaffold", "start_codon", "stop_codon"),
    "stop_codon_redefined_as_selenocysteine",  # in GENCODE, with a transcript as its parent
)
_PARENT = re.compile(r"(?:^|;)Parent=([^;]*)")
_VERSIONED = re.compile(r"^(ENS[A-Z]*\d{11})\.\d+(_PAR_Y)?$")
# What would end a field of csq's answer, or of the GFF3.
_UNUSABLE = re.compile(r"[|,;=&\s]")
_PLACE = re.compile(r"-?\d+ -?\d+$")
_LINES_HELD = 50_000

# Biotypes that bcftools csq 1.24 knows, by how they begin (gff_parse_biotype of its gff.c); transcripts of
# others it leaves out.
_CSQ_BIOTYPES = re.compile(
    "protein_coding|pseudogene|processed_transcript|processed_pseudogene|polymorphic_pseudogene|artifact"
    "|antisense|ambiguous_orf|IG_(?:pseudogene|C|D|J|V|LV)|TR_[CDJV]|Mt_tRNA_pseudogene|(?i:Mt_tRNA|Mt_rRNA|mRNA)"
    "|lincRNA|lncRNA|macro_lncRNA|misc_RNA|miRNA|rRNA|ribozyme|retained_intron|retrotransposed|snRNA|sRNA"
    "|scRNA|scaRNA|snoRNA|sense_intronic|sense_overlapping|tRNA_pseudogene"
    "|transcribed_(?:processed|unprocessed|unitary)_pseudogene"
    "|translated_(?:unprocessed|processed)_pseudogene|nonsense_mediated_decay|non_stop_decay|NMD|known_ncrna"
    "|unitary_pseudogene|unprocessed_pseudogene|LRG_gene|(?i:3prime_overlapping_ncRNA|3_prime_overlapping_ncRNA)"
    "|disrupted_domain|vaultRNA|bidirectional_promoter_lncRNA"
)


class Transcript(NamedTuple):
    """What rows say of a transcript."""

    gene_id: str | None
    gene_symbol: str | None
    biotype: str | None


class Gene(NamedTuple):
    """A gene's first and last base, 1-based, and its lines without their first column."""

    first: int
    last: int
    lines: str


@dataclass
class ContigGenes:
    """Genes of one contig by first base, its transcripts by id, and biotypes that csq leaves out, counted."""

    genes: list[Gene] = field(default_factory=list)
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def contigs_of_gff3(path: str | Path) -> tuple[dict[str, int], dict[str, list[bytes]]]:
    """Declared contig lengths (##sequence-region), and each contig's lines as compressed pieces.

    One piece is held as text at a time. Raises BadSource where the file cannot be read.
    """
    lengths: dict[str, int] = {}
    pieces: dict[str, list[bytes]] = {}
    contig = ""
    held: list[str] = []

    def put_away() -> None:
        if held:
            pieces.setdefault(contig, []).append(zlib.compress("\n".join(held).encode(), 1))
            held.clear()

    for line in _lines(path):
        if line.startswith("##sequence-region"):
            words = line.split()
            if len(words) == 4 and words[3].isdigit():
                lengths[words[1]] = int(words[3])
        elif line and not line.startswith("#"):
            name = line.partition("\t")[0]
            if name != contig or len(held) == _LINES_HELD:
                put_away()
                contig = name
            held.append(line)
    put_away()
    return lengths, pieces


def _lines(path: str | Path) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            check_whole(path, file)
        code = "utf-8-sig"  # with or without a mark of byte order
        with gzip.open(path, "rt", encoding=code) if packed else open(path, encoding=code) as text:
            for line in text:
                if line.startswith("##FASTA"):
                    return
                yield line.rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadSource(f"{path}: the GFF3 cannot be read: {error}; fetch it again") from None


def genes_of_contig(path: str | Path, contig: str, pieces: Sequence[bytes]) -> ContigGenes:
    """The genes of one contig's lines.

    Raises BadSource showing a line that is none of a GFF3, or a transcript that the contig has twice.
    """
    reader = _ContigReader(path, contig)
    for piece in pieces:
        for line in zlib.decompress(piece).decode().split("\n"):
            reader.add(line)
    return reader.finish()


class _ContigReader:
    def __init__(self, path: str | Path, contig: str) -> None:
        self._path = path
        self._contig = contig
        self._symbols: dict[str, str | None] = {}
        self._of_gene: dict[str, list[str]] = {}
        self._lines: dict[str, list[str]] = {}
        self._parts: dict[str, list[tuple[str, ...]]] = {}
        self._made = ContigGenes()

    def add(self, line: str) -> None:
        fields = line.split("\t", 8)
        if len(fields) != 9 or not _PLACE.match(f"{fields[3]} {fields[4]}"):
            raise BadSource(f"{self._path}: this is no line of a GFF3 file: {line[:200]!r}")
        kind = fields[2]
        if kind in _PARTS:
            parent = _PARENT.search(fields[8])
            if parent is not None:
                for name in dict.fromkeys(parent[1].split(",")):
                    self._parts.setdefault(_plain_id(name), []).append(tuple(fields[2:8]))
        elif kind not in _NO_GENES:
            self._add_feature(fields)

    def _add_feature(self, fields: list[str]) -> None:
        about = dict(item.split("=", 1) for item in fields[8].split(";") if "=" in item)
        if "ID" not in about:
            return
        feature = _plain_id(about["ID"])
        if about["ID"].startswith("gene:") or "Parent" not in about:
            symbol = about.get("gene_name") or about.get("Name")
            self._symbols[feature] = unquote(symbol) if symbol else None
            return
        biotype = about.get("biotype") or about.get("transcript_type") or about.get("gene_biotype")
        if not (_CSQ_BIOTYPES.match(biotype or "") or _CSQ_BIOTYPES.match(fields[2])):
            name = biotype or fields[2]
            self._made.left_out[name] = self._made.left_out.get(name, 0) + 1
            return
        gene = _plain_id(about["Parent"])
        if odd := [name for name in (feature, gene) if _UNUSABLE.search(name)]:
            raise BadSource(
                f"{self._path}: ids with | , & or blanks cannot be used: {shown(odd)}; rename them"
            )
        self._of_gene.setdefault(gene, []).append(feature)
        self._made.transcripts[feature] = Transcript(gene, None, biotype or fields[2])
        attributes = f"ID=transcript:{feature};Parent=gene:{gene}" + (
            f";biotype={biotype}" if biotype else ""
        )
        self._lines[feature] = ["\t".join(("", ".", *fields[2:8], attributes))]

    def finish(self) -> ContigGenes:
        made = self._made
        self._refuse_repeated()
        for gene, features in self._of_gene.items():
            lines, first, last, strand = [], [], [], "."
            for feature in features:
                parent = f"Parent=transcript:{feature}"
                parts = self._parts.get(feature, [])
                lines += self._lines[feature]
                lines += ["\t".join(("", ".", *part, parent)) for part in parts]
                made.transcripts[feature] = made.transcripts[feature]._replace(
                    gene_symbol=self._symbols.get(gene)
                )
            for line in lines:
                _, _, _, begin, end, _, strand, *_ = line.split("\t")
                first.append(int(begin))
                last.append(int(end))
            head = f"\t.\tgene\t{min(first)}\t{max(last)}\t.\t{strand}\t.\tID=gene:{gene}"
            made.genes.append(Gene(min(first), max(last), "\n".join([head, *lines])))
        made.genes.sort()
        return made

    def _refuse_repeated(self) -> None:
        """csq would make one protein of all coding parts of a name."""
        counts = Counter(feature for features in self._of_gene.values() for feature in features)
        (name, count), *_ = counts.most_common(1) or [("", 0)]
        if count > 1:
            more = sum(other > 1 for other in counts.values()) - 1
            others = f" ({more} more are repeated)" if more else ""
            raise BadSource(
                f"{self._path}: transcript {name} stands {count} times on {self._contig}{others}; give a "
                "GFF3 with each transcript once: files of one gene set must not be joined with each other"
            )


def _plain_id(text: str) -> str:
    """An id without ``gene:`` or ``transcript:``, and without the version of an Ensembl id.

    >>> _plain_id("transcript:ENST00000361682"), _plain_id("ENSG00000182378.15_PAR_Y")
    ('ENST00000361682', 'ENSG00000182378_PAR_Y')
    """
    plain = text.removeprefix("gene:").removeprefix("transcript:")
    versioned = _VERSIONED.match(plain)
    return plain if versioned is None else versioned[1] + (versioned[2] or "")
