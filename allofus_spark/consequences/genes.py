"""Genes of a GFF3 by contig, read once on the driver and packed for the tasks."""

from __future__ import annotations

import pickle
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from allofus_spark.consequences.gff3 import ContigGenes, contigs_of_gff3, genes_of_contig
from allofus_spark.errors import BadSource, BuildMismatch, shown
from allofus_spark.genome import Build


@dataclass(frozen=True)
class Genes:
    """Genes of each contig, by the build's name of it, compressed; a copy in a task unpacks what it needs."""

    packed: Mapping[str, bytes]
    left_out: Mapping[str, int]

    def __contains__(self, contig: str) -> bool:
        return contig in self.packed

    def of(self, contig: str) -> ContigGenes:
        """Genes of one contig, kept in this process while they are in use."""
        return _unpacked(self.packed[contig])


# Sorted tasks see one contig at a time, and two where one ends.
@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> ContigGenes:
    genes: ContigGenes = pickle.loads(zlib.decompress(packed))
    return genes


def read_genes(path: str | Path, build: Build) -> Genes:
    """Genes of a GFF3, plain or gzip, as Ensembl or GENCODE write it.

    Raises
    ------
    BadSource
        The file cannot be read, or has no transcript that bcftools csq knows.
    BuildMismatch
        A declared contig length is another build's, a gene lies past the end of its contig, or no contig is
        one of the build's.
    """
    lengths, pieces = contigs_of_gff3(path)
    build.check_contig_lengths(lengths, where=str(path), allow_partial=True)
    renames = build.contig_renames(lengths)
    names = {spelling: renames.get(spelling) or build.canonical_contig(spelling) for spelling in pieces}
    if pieces and not set(names.values()) & set(build.contig_lengths):
        raise BuildMismatch(
            f"{path}: none of its contigs ({shown(list(pieces))}) is one of build {build.name}; "
            "give a GFF3 of the warehouse's build"
        )
    packed, left_out = {}, Counter[str]()
    for contig in sorted(set(names.values())):
        mine = [piece for spelling, name in names.items() if name == contig for piece in pieces[spelling]]
        genes = genes_of_contig(path, contig, mine)
        left_out.update(genes.left_out)
        if genes.genes:
            _check_ends(path, build, contig, genes)
            packed[contig] = zlib.compress(pickle.dumps(genes), 6)
    if not packed:
        raise BadSource(
            f"{path}: no transcripts in it: a gene needs lines with ID=gene:… (or gene), its transcripts "
            "lines with ID and Parent, as Ensembl and GENCODE write them"
        )
    return Genes(packed, dict(left_out))


def _check_ends(path: str | Path, build: Build, contig: str, genes: ContigGenes) -> None:
    length = build.contig_lengths.get(contig)
    last = max(genes.genes, key=lambda gene: gene.last)
    if length is not None and last.last > length:
        name = last.lines.partition("ID=gene:")[2].partition("\n")[0]
        raise BuildMismatch(
            f"{path}: gene {name} ends at {contig}:{last.last}, past the contig's {length} bases on "
            f"{build.name}; give a GFF3 of build {build.name}"
        )
