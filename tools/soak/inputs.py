"""Made-up inputs of every stage, small: 120 people of two ancestries, 300 sites, some health records."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.cohort_files import Person, Site, bgzip_file, cell_table, vcf_header, write_records, write_samples

PEOPLE = 120
SITES = 150  # a contig
CONTIGS = ("chr4", "chr9")
FIRST_POSITION = 1_000_000
_SPACING = 200_000  # bases between sites: far apart, so that the pruning of linked sites leaves them
_GENOTYPES = ("0/0", "0/1", "1/1", "./.")


def make_inputs(folder: Path, seed: int = 1, contigs: Sequence[str] = CONTIGS) -> Path:
    """Write all files below ``folder``, the same for the same seed; the folder. REF is A at every site."""
    chance = np.random.default_rng(seed)
    people = [
        Person(f"S{number:03d}", ("XX", "XY")[number // 2 % 2], ("afr", "eur")[number % 2])
        for number in range(PEOPLE)
    ]
    sites = [
        Site(contig, FIRST_POSITION + _SPACING * place, "A", "CGT"[place % 3])
        for contig in contigs
        for place in range(SITES)
    ]
    codes = _codes(chance, len(sites))
    with bgzip_file(folder / "cohort.vcf.gz") as stream:
        stream.write(vcf_header(contigs, people, source="made up"))
        write_records(stream, sites, codes, cell_table(_GENOTYPES))
    write_samples(folder / "samples.tsv", people)
    _write_catalogue(folder / "known.vcf", sites[::2])
    _write_annotation(folder / "annotation.tsv", sites)
    _write_people(folder, people)
    _write_health(folder, people, sites, codes, chance)
    return folder


def _codes(chance: np.random.Generator, n_sites: int) -> npt.NDArray[np.uint8]:
    """Genotypes, codes[site, person]: frequencies differ between the two ancestries, 1 % are missing."""
    frequencies = chance.uniform(0.02, 0.98, (n_sites, 2))
    codes = chance.binomial(2, frequencies[:, np.arange(PEOPLE) % 2]).astype(np.uint8)
    codes[chance.random(codes.shape) < 0.01] = 3
    return codes


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="," if path.suffix == ".csv" else "\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_catalogue(path: Path, sites: Sequence[Site]) -> None:
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    lines += [
        f"{site.contig}\t{site.position}\trs{place}\t{site.ref}\t{site.alts}\t.\t.\t."
        for place, site in enumerate(sites)
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write_annotation(path: Path, sites: Sequence[Site]) -> None:
    kinds = ("missense_variant", "synonymous_variant", "intron_variant")
    _write(
        path,
        ("vid", "transcript", "gene_symbol", "consequence"),
        (
            (f"{site.contig[3:]}-{site.position}-{site.ref}-{site.alts}", "ENST1", "GENE", kinds[place % 3])
            for place, site in enumerate(sites)
        ),
    )


def _write_people(folder: Path, people: Sequence[Person]) -> None:
    header = ("person_id", "sample_id", "enrolled_on", "race_ethnicity", "geography")
    _write(
        folder / "persons.tsv",
        header,
        (
            (
                place + 1,
                person.sample_id,
                f"2018-0{1 + place % 9}-02",
                "Black;White",
                ("rural", "urban")[place % 2],
            )
            for place, person in enumerate(people)
        ),
    )


def _write_health(
    folder: Path,
    people: Sequence[Person],
    sites: Sequence[Site],
    codes: npt.NDArray[np.uint8],
    chance: np.random.Generator,
) -> None:
    """A disease that the first site raises: records, a file of phenotypes, and what is known of it."""
    carried = np.where(codes[0] == 3, 0, codes[0])
    is_case = chance.random(len(people)) < 0.15 + 0.3 * carried
    numbers = range(1, len(people) + 1)
    cdm = folder / "cdm"
    header = (
        "person_id", "gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id",
    )  # fmt: skip
    _write(cdm / "person.csv", header, ((n, (8532, 8507)[n % 2], 1950 + n % 40, 0, 0) for n in numbers))
    _write(
        cdm / "observation_period.csv",
        ("observation_period_id", "person_id", "observation_period_start_date", "observation_period_end_date",
         "period_type_concept_id"),
        ((n, n, "2010-01-01", "2020-12-31", 0) for n in numbers),
    )  # fmt: skip
    first = dt.date(2015, 1, 5)
    conditions = [
        (n, first + dt.timedelta(days=30 * time)) for n in numbers if is_case[n - 1] for time in (0, 1, 2)
    ]
    _write(
        cdm / "condition_occurrence.csv",
        ("condition_occurrence_id", "person_id", "condition_concept_id", "condition_start_date",
         "condition_type_concept_id", "condition_source_value", "condition_source_concept_id"),
        ((place, n, 0, day, 0, "250.00", 1) for place, (n, day) in enumerate(conditions, 1)),
    )  # fmt: skip
    _write(
        cdm / "concept.csv",
        ("concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_class_id", "concept_code",
         "valid_start_date", "valid_end_date"),
        [(1, "Diabetes", "Condition", "ICD9CM", "code", "250.00", "1970-01-01", "2099-12-31")],
    )  # fmt: skip
    links = ((n, person.sample_id) for n, person in zip(numbers, people, strict=True))
    _write(folder / "person_samples.tsv", ("person_id", "sample_id"), links)
    _write(folder / "codes.csv", ("vocabulary_id", "code", "phecode"), [("ICD9CM", "250.00", "250")])
    _write(
        folder / "traits.tsv",
        ("sample_id", "sick", "tall"),
        (
            (person.sample_id, int(case), f"{160 + 3 * copies + chance.normal(0, 5):.3f}")
            for person, case, copies in zip(people, is_case, carried, strict=True)
        ),
    )
    site = sites[0]
    known = {
        "assoc_ID": "1", "ancestry": "EUR",
        "SNP_hg38": f"{site.contig[3:]}:{site.position}:{site.ref}:{site.alts}",
        "rsID": "rs0", "risk_allele_dir": "alt", "risk_allele": site.alts, "phecode": "sick",
        "phecode_string": "Sick", "cat_LOG10_P": "9", "cat_OR": "2", "cat_L95": "1.5", "cat_U95": "2.5",
        "Study_accession": "GCST1", "category_string": "general", "pubmedid": "1",
    }  # fmt: skip
    _write(folder / "known_associations.csv", list(known), [list(known.values())])
