"""Every ``allofus`` command of the README, run in the order of the README on files named as it names them.

``make demo`` and ``make test`` are run by .ci/run; what a cluster runs, by test_cluster; ``browse`` by
tests/browser.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import NamedTuple

import pysam
import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from tools.soak.inputs import FIRST_POSITION, make_inputs
from tools.soak.stages import SETTINGS

README = Path(__file__).parents[2] / "README.md"
CONTIGS = {"chr21": 46_709_983, "chr22": 50_818_468}  # with their lengths in GRCh38
BLOCK = re.compile(r"^( *)```console\n(.*?)^ *```", re.M | re.S)
# What another test runs, or what a shell does.
ELSEWHERE = (
    "make ",
    "source ",
    "export ",
    "python -m allofus_spark.",
    "PYSPARK_DRIVER_PYTHON=",
    "allofus browse ",
)


class Command(NamedTuple):
    """One command as the README has it, and the text that it is given, if any."""

    text: str
    given: str = ""


def commands(readme: str) -> Iterator[Command]:
    for indent, block in BLOCK.findall(readme):
        lines = [line.removeprefix(indent) for line in block.splitlines()]
        while lines:
            text = lines.pop(0)
            while text.endswith("\\") or text.count('"') % 2:
                text = text.removesuffix("\\") + "\n" + lines.pop(0)
            given = []
            if text.endswith("<<'END'"):
                end = lines.index("END")
                given, lines = lines[:end], lines[end + 1 :]
            if text.strip() and not text.startswith("#"):
                yield Command(text, "\n".join(given))


ALL = list(commands(README.read_text(encoding="utf-8")))
OURS = [
    command
    for command in ALL
    if command.text.startswith("allofus ") and not command.text.startswith(ELSEWHERE)
]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that the README names."""
    folder = tmp_path_factory.mktemp("readme")
    made = make_inputs(tmp_path_factory.mktemp("inputs"), contigs=tuple(CONTIGS))
    for name in ("shards", "panel"):
        (folder / name).mkdir()
        shutil.copy(made / "cohort.vcf.gz", folder / name / "1.vcf.gz")
    samples = (made / "samples.tsv").read_text()
    of_cohort = [line.rsplit("\t", 1)[0] for line in samples.splitlines()]  # without ancestry
    (folder / "samples.tsv").write_text("".join(f"{line}\n" for line in of_cohort))
    (folder / "panel.tsv").write_text(samples.replace("ancestry", "super_pop", 1))
    with (folder / "GRCh38.fa").open("w") as fasta:  # REF is A everywhere
        for contig, length in CONTIGS.items():
            fasta.write(f">{contig}\n{'A' * length}\n")
    pysam.faidx(str(folder / "GRCh38.fa"))
    gene = "ID=gene:G1;gene_id=G1;Name=GENE;biotype=protein_coding"
    transcript = "ID=transcript:T1;Parent=gene:G1;transcript_id=T1;biotype=protein_coding"
    features = [("gene", ".", gene), ("mRNA", ".", transcript), ("exon", ".", "Parent=transcript:T1")]
    features.append(("CDS", "0", "Parent=transcript:T1"))
    begin = FIRST_POSITION - 299
    lines = [
        f"22\tensembl\t{kind}\t{begin}\t{begin + 599}\t.\t+\t{phase}\t{rest}\n"
        for kind, phase, rest in features
    ]
    gff3 = folder / "Homo_sapiens.GRCh38.gff3"
    gff3.write_text("##gff-version 3\n" + "".join(lines))
    pysam.tabix_compress(str(gff3), f"{gff3}.gz")
    pysam.tabix_compress(str(made / "known.vcf"), str(folder / "GCF_000001405.40.gz"))
    shutil.copytree(made / "cdm", folder / "cdm")
    for name, as_named in (
        ("person_samples.tsv", "person_samples.tsv"),
        ("codes.csv", "phecode12.csv"),
        ("known_associations.csv", "PGRM_ALL.csv"),
    ):
        shutil.copy(made / name, folder / as_named)
    return folder


def test_every_command_is_of_ours_or_run_elsewhere() -> None:
    assert len(OURS) > 25
    odd = [command.text for command in ALL if not command.text.startswith(("allofus ", "cat > ", *ELSEWHERE))]
    assert odd == []


def test_the_commands_work_in_their_order(
    spark: SparkSession, cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cohort)
    # Every command starts a session and stops it: here the suite's, with its settings.
    monkeypatch.setattr("allofus_spark.session.start_session", lambda *_, **__: spark)
    monkeypatch.setattr(spark, "stop", lambda: None)
    settings = next(command.given for command in ALL if command.text.startswith("cat > cohort.toml"))
    files = re.sub(r'= "(?=GRCh38|Homo)', f'= "{cohort}/', settings)
    (cohort / "cohort.toml").write_text(_here(files, cohort))
    settings_of_few = (*SETTINGS, "ancestry.n_pcs=10")  # the covariates of a scan
    small = [part for setting in settings_of_few for part in ("--set", setting)]
    monkeypatch.setenv("ALLOFUS_SETTINGS", "cohort.toml")
    for command in OURS:
        answer = CliRunner().invoke(main, [*_words(_here(command.text, cohort)), *small])
        assert answer.exit_code == 0, f"{command.text}\n{answer.output}"


def _words(command: str) -> list[str]:
    """The command's arguments, patterns replaced as a shell does; whole paths, as the JVM runs elsewhere."""
    words = [glob(word) or [word] for word in shlex.split(command, comments=True)[1:]]
    files = re.compile(r"[\w/-]+(\.\w+)+|\w+/")
    return [os.path.abspath(name) if files.fullmatch(name) else name for names in words for name in names]


def _here(text: str, folder: Path) -> str:
    """The text with the places and the variant of this cohort."""
    return text.replace("/data/", f"{folder}/").replace("22-19963748-G-A", f"22-{FIRST_POSITION}-A-C")
