"""The reference sequence: block edges, spellings, partial files, processes, and files that cannot be used."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import pickle
import random
from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.errors import BadSource, BuildMismatch
from allofus_spark.genome import Build, ReferenceSequence, load_build

BASES = "ACGTTGCANRacgtn" * 20
BUILD = Build("toy", {"chrT": 300, "chrU": 4})


@pytest.fixture(scope="module")
def fasta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fasta(tmp_path_factory.mktemp("reference") / "toy.fa", chrT=BASES, chrU="ACGT")


def write_fasta(path: Path, **sequences: str) -> Path:
    with path.open("w") as file:
        for contig, bases in sequences.items():
            lines = [bases[i : i + 60] for i in range(0, len(bases), 60)]
            file.write(f">{contig}\n" + "\n".join(lines) + "\n")
    pysam.faidx(str(path))
    return path


@settings(deadline=None)
@given(
    start=st.integers(-5, 310), size=st.integers(-2, 310), block_bases=st.sampled_from([1, 7, 64, 1 << 16])
)
def test_fetch_is_a_slice_for_any_block_size(fasta: Path, start: int, size: int, block_bases: int) -> None:
    reference = ReferenceSequence(fasta, BUILD, block_bases=block_bases)
    end = start + size
    assert reference.fetch("T", start, end) == BASES.upper().encode()[max(start, 0) : max(end, 0)]


def test_bgzip_equals_plain(fasta: Path, tmp_path: Path) -> None:
    packed = tmp_path / "toy.fa.gz"
    pysam.tabix_compress(str(fasta), str(packed))
    with pytest.raises(BadSource, match=r"toy\.fa\.gz has no index beside it; .*samtools faidx"):
        ReferenceSequence(packed, BUILD)
    pysam.faidx(str(packed))
    reference = ReferenceSequence(packed, BUILD, block_bases=50)
    assert reference.fetch("chrT", 0, 1000) == BASES.upper().encode()
    assert (reference.length("T"), reference.length("chrU"), reference.length("chr1")) == (300, 4, None)
    assert reference.checksum() == hashlib.sha256(packed.read_bytes()).hexdigest()
    packed.with_name("toy.fa.gz.gzi").unlink()
    with pytest.raises(BadSource, match=r"no \.gzi index"):
        ReferenceSequence(packed, BUILD)


def test_a_pickled_copy_opens_the_file_anew(fasta: Path) -> None:
    reference = ReferenceSequence(fasta, BUILD, block_bases=30)
    assert reference.fetch("chrT", 0, 30) == BASES[:30].upper().encode()
    assert pickle.loads(pickle.dumps(reference)).fetch("chrT", 100, 130) == BASES[100:130].upper().encode()


def test_a_forked_process_does_not_move_the_reader_of_its_parent(tmp_path: Path) -> None:
    sequence = "".join(random.Random(3).choices("ACGT", k=4_000_000))
    path = write_fasta(tmp_path / "long.fa", chrT=sequence)
    reference = ReferenceSequence(path, Build("long", {"chrT": len(sequence)}), block_bases=500)
    reference.fetch("chrT", 0, 1)

    def reads_right(seed: int) -> bool:
        starts = random.Random(seed).choices(range(len(sequence) - 20), k=5000)
        return all(reference.fetch("chrT", s, s + 20) == sequence[s : s + 20].encode() for s in starts)

    child = os.fork()
    if child == 0:
        # Straight out, so that pytest does not go on in the child.
        right = False
        with contextlib.suppress(Exception):
            right = reads_right(seed=1)
        os._exit(0 if right else 1)
    parent_reads_right = reads_right(seed=2)
    _, status = os.waitpid(child, 0)
    assert parent_reads_right
    assert status == 0


def test_files_that_cannot_be_used(fasta: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="there is no such file"):
        ReferenceSequence(tmp_path / "none.fa", BUILD)
    with pytest.raises(BadSource, match="is an index; give the FASTA itself"):
        ReferenceSequence(fasta.with_name("toy.fa.fai"), BUILD)
    bare = tmp_path / "bare.fa"
    bare.write_bytes(fasta.read_bytes())
    with pytest.raises(BadSource, match=f"has no index beside it; make one with: samtools faidx {bare}"):
        ReferenceSequence(bare, BUILD)
    plain_gzip = tmp_path / "toy.fa.gz"
    plain_gzip.write_bytes(gzip.compress(fasta.read_bytes()))
    plain_gzip.with_name("toy.fa.gz.fai").write_bytes(fasta.with_name("toy.fa.fai").read_bytes())
    with pytest.raises(BadSource, match="is plain gzip"):
        ReferenceSequence(plain_gzip, BUILD)
    both = write_fasta(tmp_path / "both.fa", T=BASES, chrT=BASES)
    with pytest.raises(BadSource, match="T and chrT are both contig chrT of toy"):
        ReferenceSequence(both, BUILD)
    with pytest.raises(BuildMismatch, match=r"long\.fa: contig chrT has 301 bases, but 300 on toy"):
        ReferenceSequence(write_fasta(tmp_path / "long.fa", chrT=BASES + "A"), BUILD)


def test_a_fasta_cut_after_indexing_is_named(fasta: Path, tmp_path: Path) -> None:
    cut = write_fasta(tmp_path / "cut.fa", chrT=BASES)
    cut.write_bytes(cut.read_bytes()[:200])
    with pytest.raises(BadSource, match=r"cut\.fa: chrT:1-300"):
        ReferenceSequence(cut, BUILD).fetch("chrT", 0, 300)


def test_a_part_of_a_chromosome(realdata: Path) -> None:
    path = realdata / "reference" / "grch37_chr22_1-22000000.fa.gz"
    reference = ReferenceSequence(path, load_build("GRCh37"))
    assert "22000000 of the 51304566 bases" in reference.warnings[0]
    assert reference.length("chr22") == 22_000_000
    assert reference.fetch("22", 21_999_995, 30_000_000) == b"AAATT"


def test_the_old_mitochondrion_is_not_read_as_mt(tmp_path: Path) -> None:
    build = load_build("GRCh37")
    reference = ReferenceSequence(write_fasta(tmp_path / "hg19.fa", chrM="ACGTA" * 3314 + "G"), build)
    assert reference.length("chrM") is None
    assert reference.length("NC_001807") == 16571
    assert reference.fetch("NC_001807", 16570, 16571) == b"G"
