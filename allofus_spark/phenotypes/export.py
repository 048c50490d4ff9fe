"""Phenotypes and covariates as text files in the columns of PLINK 2 and regenie: a line a sample."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from pyspark.sql import Row
from pyspark.sql import functions as F

from allofus_spark.cohort import XX, XY, active_callsets, labels_in_use, sample_rows
from allofus_spark.errors import BadSamples, BadSource, NotFound, shown
from allofus_spark.tables import (
    PERSON_SAMPLES,
    PERSONS,
    PHENOTYPE_DEFINITIONS,
    PHENOTYPE_PEOPLE,
    PHENOTYPES,
    SnapshotReader,
    Warehouse,
    ancestries,
)
from allofus_spark.tables.phenotype_tables import CASE, CONTROL, MEASURED

PLINK, REGENIE = "plink", "regenie"
ONE_TWO, ZERO_ONE = "12", "01"
MISSING = "NA"
_HEADS = {PLINK: ("#FID", "IID"), REGENIE: ("FID", "IID")}
_FAMILY = "0"
_SEXES = {XX: "0", XY: "1"}


def export_phenotypes(
    warehouse: Warehouse,
    prefix: str,
    *,
    form: str = PLINK,
    coding: str | None = None,
    phenotypes: Sequence[str] = (),
    ancestry: Collection[str] = (),
    covariates: bool = False,
) -> dict[str, int]:
    """Write PREFIX.pheno and, asked for, PREFIX.covar: everybody with a sample in an active callset.

    Parameters
    ----------
    form
        ``plink``: columns #FID and IID, binary phenotypes as 2 and 1; ``regenie``: FID and IID, 1 and 0. FID
        is 0, which is none. NA is missing in both.
    coding
        ``12`` or ``01``, in the place of the form's own: PLINK 2 reads 1 and 0 with --1.
    phenotypes
        Ids, in their order; none: all that there are.
    ancestry
        Only people of these ancestries, by the label in use.
    covariates
        sex (XX 0, XY 1), age at enrolment in years, and the PCs of the samples' ancestry.

    Returns
    -------
    Counters of samples, of those without a person, which PREFIX.pheno lacks, phenotypes, covariates.

    Raises NotFound naming phenotypes or ancestries that are not there, BadSamples for ids with blanks.
    """
    tables = SnapshotReader(warehouse)
    definitions = _definitions(tables, phenotypes)
    samples = _samples(warehouse, tables, ancestry)
    case, control = (
        ("2", "1") if (coding or (ONE_TWO if form == PLINK else ZERO_ONE)) == ONE_TWO else ("1", "0")
    )
    values = _values_by_sample(tables, definitions, samples)
    head = (*_HEADS[form], *(row.phenotype_id for row in definitions))
    written = {CASE: case, CONTROL: control}
    counters = {"samples": 0, "samples_without_person": len(samples), "phenotypes": len(definitions)}
    with _whole_file(f"{prefix}.pheno") as file:
        _write_line(file, head)
        for sample_id, found in values:
            counters["samples"] += 1
            counters["samples_without_person"] -= 1
            cells = [_cell(found.get(row.phenotype_id), written) for row in definitions]
            _write_line(file, (_FAMILY, sample_id, *cells))
        if covariates:  # before the first file is put in its place: both are there, or neither is new
            counters["covariates"] = _write_covariates(
                warehouse, tables, f"{prefix}.covar", _HEADS[form], samples
            )
    return counters


def _definitions(tables: SnapshotReader, names: Sequence[str]) -> list[Row]:
    rows = {row.phenotype_id: row for row in tables.rows(PHENOTYPE_DEFINITIONS)}
    if not rows:
        raise NotFound("there are no phenotypes; run allofus build-phenotypes first")
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise NotFound(
            f"no phenotype is called {shown(unknown)}; SELECT phenotype_id FROM phenotype_definitions"
        )
    found = [rows[name] for name in dict.fromkeys(names)] if names else [rows[name] for name in sorted(rows)]
    odd = [row.phenotype_id for row in found if row.phenotype_id.split() != [row.phenotype_id]]
    if odd:
        raise BadSource(
            f"names of columns have no blanks in them: {shown(odd)}; leave them out with --phenotype"
        )
    return found


def _samples(warehouse: Warehouse, tables: SnapshotReader, ancestry: Collection[str]) -> dict[str, Row]:
    """Rows of ``samples`` by id, of the samples of active callsets in their order."""
    active = active_callsets(tables)
    if not active:
        raise BadSource("phenotypes are exported of people with samples, and no callset is active")
    label_of = labels_in_use(warehouse, tables)
    rows = sample_rows(tables, active)
    labels = {label_of(row) for row in rows}
    if unknown := sorted(set(ancestry) - labels):
        there = shown(sorted(filter(None, labels))) or "none"
        raise NotFound(f"nobody is of ancestry {shown(unknown)}; there are: {there}")
    found = {row.sample_id: row for row in rows if not ancestry or label_of(row) in ancestry}
    if odd := [name for name in found if name.split() != [name]]:
        raise BadSamples(f"{len(odd)} sample ids have blanks in them, which PLINK cannot read: {shown(odd)}")
    return found


def _values_by_sample(
    tables: SnapshotReader, definitions: Sequence[Row], samples: Mapping[str, Row]
) -> Iterator[tuple[str, Mapping[str, tuple[str, float | None]]]]:
    """Each sample with the (status, value) of its person by phenotype, where there is one; in order."""
    ids = [row.phenotype_id for row in definitions]
    if not tables.holds(PERSON_SAMPLES):
        raise BadSource(
            "no sample is linked to a person; run allofus ingest-persons, or ingest-omop with links"
        )
    people = tables.read(PHENOTYPE_PEOPLE).select("phenotype_set", "person_id")
    links = tables.read(PERSON_SAMPLES).select("person_id", "sample_id")
    told = tables.read(PHENOTYPES).where(F.col("phenotype_id").isin(ids))
    entry = F.struct("phenotype_id", "status", "value")
    by_person = told.groupBy("person_id").agg(F.collect_list(entry).alias("entries"))
    sets = people.groupBy("person_id").agg(F.collect_set("phenotype_set").alias("sets"))
    rows = links.join(sets, "person_id", "left").join(by_person, "person_id", "left").orderBy("sample_id")
    controls_of: dict[str, list[str]] = {}
    for row in definitions:
        if row.others == CONTROL:
            controls_of.setdefault(row.phenotype_set, []).append(row.phenotype_id)
    for row in rows.select("sample_id", "sets", "entries").toLocalIterator():
        if row.sample_id not in samples:
            continue
        found: dict[str, tuple[str, float | None]] = {
            name: (CONTROL, None) for held in row.sets or () for name in controls_of.get(held, ())
        }
        found |= {item.phenotype_id: (item.status, item.value) for item in row.entries or ()}
        yield row.sample_id, found


def _cell(found: tuple[str, float | None] | None, written: Mapping[str, str]) -> str:
    if found is None:
        return MISSING
    status, value = found
    return repr(value) if status == MEASURED else written.get(status, MISSING)


def _write_covariates(
    warehouse: Warehouse,
    tables: SnapshotReader,
    path: str,
    head: Sequence[str],
    samples: Mapping[str, Row],
) -> int:
    ages = _ages(tables)
    pcs = _pcs(warehouse, tables)
    n_pcs = max(map(len, pcs.values()), default=0)
    names = ["sex", "age", *(f"PC{number + 1}" for number in range(n_pcs))]
    with _whole_file(path) as file:
        _write_line(file, (*head, *names))
        for sample_id in sorted(samples):
            row = samples[sample_id]
            scores = pcs.get((row.callset_id, sample_id), [MISSING] * n_pcs)
            cells = (_SEXES.get(row.sex_karyotype, MISSING), ages.get(sample_id, MISSING), *scores)
            _write_line(file, (_FAMILY, sample_id, *cells))
    return len(names)


def _ages(tables: SnapshotReader) -> dict[str, str]:
    if not (tables.holds(PERSONS) and tables.holds(PERSON_SAMPLES)):
        return {}
    ages = tables.read(PERSONS).where("age_at_enrolment_years IS NOT NULL")
    rows = ages.join(tables.read(PERSON_SAMPLES), "person_id").select("sample_id", "age_at_enrolment_years")
    return {row.sample_id: str(row.age_at_enrolment_years) for row in rows.collect()}


def _pcs(warehouse: Warehouse, tables: SnapshotReader) -> dict[tuple[str, str], list[str]]:
    table = ancestries(warehouse.settings.frequencies.ancestry_groups)
    if not tables.holds(table):
        return {}
    rows = tables.read(table).where("pcs IS NOT NULL").select("callset_id", "sample_id", "pcs").collect()
    return {(row.callset_id, row.sample_id): [repr(score) for score in row.pcs] for row in rows}


def _write_line(file: IO[str], cells: Sequence[str]) -> None:
    file.write("\t".join(cells) + "\n")


@contextmanager
def _whole_file(path: str) -> Iterator[IO[str]]:
    """A file that is there only when it is whole."""
    part = f"{path}.part"
    try:
        with open(part, "w", encoding="utf-8") as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise BadSource(f"{path} cannot be written: {error}") from None
    finally:
        if os.path.exists(part):
            os.remove(part)
