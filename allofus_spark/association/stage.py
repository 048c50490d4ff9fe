"""``associations``, ``meta_associations`` and ``association_summaries`` of one scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np
from pyspark import Broadcast
from pyspark.sql import Row
from threadpoolctl import threadpool_limits

from allofus_spark.association.cells import Fitted
from allofus_spark.association.covariate_file import read_covariate_file
from allofus_spark.association.covariates import read_covariates
from allofus_spark.association.keeping import known_positions
from allofus_spark.association.parts import PARTS
from allofus_spark.association.passes import Inputs, first_pass, second_pass
from allofus_spark.association.people import (
    Places,
    choose_ancestries,
    choose_people,
)
from allofus_spark.association.phenotypes import Block, Definition, choose_phenotypes, read_blocks
from allofus_spark.association.pictures import draw_scan
from allofus_spark.association.refits import EXACT
from allofus_spark.association.summaries import about_fits, ranked, summary_rows
from allofus_spark.association.variants import choose_variants
from allofus_spark.cohort import active_samples, warehouse_build
from allofus_spark.errors import BadSource, NotFound, shown
from allofus_spark.hadoop import absolute_path
from allofus_spark.regression import Models, fit_models
from allofus_spark.regression.models import SCANNED, Covariates, Fit, Phenotype, TestRules
from allofus_spark.tables import (
    ASSOCIATION_SUMMARIES,
    Aside,
    Recipe,
    RowsWrite,
    Run,
    Warehouse,
    check_name,
    quoted,
    start_run,
)

DEFAULT_SCAN = "default"
_X = "X"
_FILES = ("covariate_file", "regions_file", "variants_file")
_SHOWN = 40
# Of a model, at the most: a residual, and a flag of whether the person has a value.
_BYTES_OF_PERSON = 9


@dataclass(frozen=True)
class Request:
    """What to scan. None, or empty: no limit, or the settings' choice.

    ``phenotype_ids`` are of ``phenotype_set`` where that is named. ``sample_ids`` are analysed whatever is
    known of their kinship. ``regions``, ``regions_file`` and ``variants_file`` limit the variants together.
    ``pictures`` are phenotypes to draw; None: those with hits.
    """

    scan: str = DEFAULT_SCAN
    phenotype_ids: Sequence[str] = ()
    phenotype_set: str | None = None
    covariates: Sequence[str] | None = None
    covariate_file: str | None = None
    ancestries: Sequence[str] = ()
    sample_ids: Sequence[str] | None = None
    assume_unrelated: bool = False
    regions: Sequence[str] = ()
    regions_file: str | None = None
    variants_file: str | None = None
    pictures: Sequence[str] | None = None

    def recipe(self) -> Recipe:
        """How the scan is repeated; one of listed samples is not."""
        files = {name: getattr(self, name) for name in _FILES if getattr(self, name) is not None}
        asked = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "scan"}
        paths = {name: absolute_path(path) for name, path in files.items()}
        parameters = {**asked, **paths} if self.sample_ids is None else None
        return Recipe(self.scan, parameters, sorted(paths.values()))


class Associated(NamedTuple):
    """Counters, the first summaries by hits and p, and where pictures are."""

    counters: dict[str, int]
    summaries: Sequence[Row]
    pictures: Sequence[str]


@dataclass
class _Progress:
    """What the blocks so far have left."""

    fits: dict[str, list[Fit]] = field(default_factory=dict)
    parts: list[Aside] = field(default_factory=list)


def associate(warehouse: Warehouse, request: Request) -> Associated:
    """Scan phenotypes for association with variants, by ancestry; replace the scan's rows.

    Raises BadSource or NotFound where there is no phenotype, nobody to analyse, no variant, or a covariate
    that is not there; BadSource where no phenotype can be scanned, naming why. Nothing is written then.
    """
    check_name("scan", request.scan)
    with start_run(warehouse, "run_associations", request.recipe()) as run:
        definitions = choose_phenotypes(run, request.phenotype_ids, request.phenotype_set)
        _check_pictures(request, definitions)
        inputs = _read_inputs(run, request)
        progress = _Progress()
        for block in read_blocks(run, inputs.people, definitions, _phenotypes_at_once(inputs)):
            _scan_block(inputs, block, progress)
        if not progress.parts:
            raise BadSource(_nothing_scanned(progress.fits))
        rows = summary_rows(run, request.scan, progress.parts, about_fits(progress.fits))
        table, values = ASSOCIATION_SUMMARIES, [tuple(row.values()) for row in rows]
        run.write(RowsWrite(table, values, _rows_of(request.scan)))
        summaries = [Row(**row) for row in ranked(rows)]
        pictures = draw_scan(run, inputs.build, summaries, request.pictures)
        return Associated(dict(run.counters), summaries[:_SHOWN], pictures)


def _check_pictures(request: Request, definitions: Sequence[Definition]) -> None:
    scanned = {item.phenotype_id for item in definitions}
    if unknown := sorted(set(request.pictures or ()) - scanned):
        raise NotFound(f"pictures of {len(unknown)} phenotypes that are not scanned: {shown(unknown)}")


def _read_inputs(run: Run, request: Request) -> Inputs:
    warehouse = run.warehouse
    settings, frequencies = warehouse.settings.association, warehouse.settings.frequencies
    build = warehouse_build(warehouse)
    people = choose_people(
        run,
        active_samples(warehouse, run),
        sample_ids=request.sample_ids,
        assume_unrelated=request.assume_unrelated,
    )
    ancestries = choose_ancestries(
        run, people, request.ancestries, frequencies.ancestry_groups, frequencies.unassigned_group
    )
    variants = choose_variants(
        run,
        build,
        regions=request.regions,
        regions_file=request.regions_file,
        variants_file=request.variants_file,
    )
    names = settings.covariates if request.covariates is None else request.covariates
    file = None if request.covariate_file is None else read_covariate_file(request.covariate_file)
    with_sex = build.canonical_contig(_X) in variants.contigs
    covariates = read_covariates(run, people, names, file, with_sex=with_sex)
    rules = TestRules(**{name: getattr(settings, name) for name in TestRules.__dataclass_fields__})
    run.counters["variants"] = variants.n
    known = known_positions(run)
    return Inputs(run, request.scan, build, people, ancestries, covariates, variants, rules, known)


def _scan_block(inputs: Inputs, block: Block, progress: _Progress) -> None:
    """Fit the phenotypes of a block in every ancestry, and scan those that can be."""
    run = inputs.run
    models = {name: _fit(inputs, block, places) for name, places in inputs.ancestries.items()}
    for name, own in models.items():
        progress.fits.setdefault(name, []).extend(own.fits)
        _tell(run, name, own)
    fitted = _fitted(inputs.scan, block.definitions, models)
    scanned = {name: own for name, own in models.items() if own.tested}
    if not scanned:
        return
    replace = "" if progress.parts else _rows_of(inputs.scan)
    with _broadcast(run, list(models.values())) as held:
        aside = first_pass(inputs, fitted, held, replace)
        progress.parts.append(aside[PARTS.name])
        if any(fit.is_binary for own in models.values() for fit in own.tested):
            progress.parts += second_pass(inputs, fitted, held, aside[EXACT.name])


@contextmanager
def _broadcast(run: Run, models: Sequence[Models]) -> Iterator[Broadcast[Sequence[Models]]]:
    """Models that every worker holds once."""
    held = run.warehouse.spark.sparkContext.broadcast(models)
    try:
        yield held
    finally:
        held.unpersist()


def _phenotypes_at_once(inputs: Inputs) -> int:
    """Phenotypes whose models, of all ancestries together, fit association.model_bytes."""
    n_people = sum(map(len, inputs.ancestries.values()))
    return max(1, inputs.run.warehouse.settings.association.model_bytes // (_BYTES_OF_PERSON * n_people))


def _fit(inputs: Inputs, block: Block, places: Places) -> Models:
    covariates = Covariates(inputs.covariates.names, inputs.covariates.values[places])
    everybody = len(places) == len(inputs.people)
    phenotypes = [
        Phenotype(item.phenotype_id, item.is_binary, values if everybody else values[places])
        for item, values in zip(block.definitions, block.values, strict=True)
    ]
    with threadpool_limits(1, "blas"):
        return fit_models(phenotypes, covariates, inputs.rules)


def _tell(run: Run, ancestry: str, models: Models) -> None:
    """Say how many phenotypes are scanned in an ancestry, and which covariates are not used."""
    tested = models.tested
    run.counters[f"phenotypes_scanned_{ancestry}"] += len(tested)
    run.counters[f"phenotypes_not_scanned_{ancestry}"] += len(models.fits) - len(tested)
    most = max((fit.n_people for fit in tested), default=0)
    run.progress(
        f"{ancestry}: {len(tested):,} of {len(models.fits):,} phenotypes are scanned, in up to {most:,} of "
        f"{models.n_people:,} people"
    )
    lacking = max((fit.n_no_covariate for fit in models.fits), default=0)
    if lacking:
        run.progress(f"{ancestry}: up to {lacking:,} people lack a covariate and are left out")
    dropped = dict.fromkeys(pair for fit in tested for pair in fit.dropped)
    if dropped:
        named = [f"{name} ({why})" for name, why in dropped]
        more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        run.progress(f"{ancestry}: covariates that are not used: {', '.join(named[:_SHOWN])}{more}")


def _fitted(scan: str, definitions: Sequence[Definition], models: Mapping[str, Models]) -> Fitted:
    fits = [own.fits for own in models.values()]
    n_people, n_cases, n_controls = (
        np.array([[getattr(fit, name) * (fit.status == SCANNED) for fit in own] for own in fits], np.int64)
        for name in ("n_people", "n_cases", "n_controls")
    )
    return Fitted(
        scan=scan,
        ancestries=tuple(models),
        phenotype_ids=tuple(item.phenotype_id for item in definitions),
        is_binary=np.array([item.is_binary for item in definitions], np.bool_),
        n=n_people,
        n_cases=n_cases,
        n_controls=n_controls,
        columns=tuple(np.flatnonzero([fit.status == SCANNED for fit in own]) for own in fits),
    )


def _rows_of(scan: str) -> str:
    """Predicate of a scan's rows."""
    return f"scan = {quoted(scan)}"


def _nothing_scanned(fits: Mapping[str, Sequence[Fit]]) -> str:
    reasons: dict[str, int] = {}
    for own in fits.values():
        for fit in own:
            reasons[fit.status] = reasons.get(fit.status, 0) + 1
    named = ", ".join(f"{name} {n:,}" for name, n in sorted(reasons.items()))
    lacking = max((fit.n_no_covariate for own in fits.values() for fit in own), default=0)
    left_out = f" (up to {lacking:,} people of an ancestry lack a covariate)" if lacking else ""
    return (
        f"no phenotype can be scanned in any ancestry ({', '.join(fits)}): {named}{left_out}. Lower "
        "association.min_cases or min_people, leave covariates out, or scan everybody with --ancestry all"
    )
