"""Covariates by name: sex, age, principal components, columns of a file, and products of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from allofus_spark.arrow import matrix_of
from allofus_spark.association.covariate_file import CovariateFile, check_ids
from allofus_spark.association.people import People
from allofus_spark.cohort import XX, XY
from allofus_spark.errors import BadSource
from allofus_spark.regression.models import Covariates
from allofus_spark.tables import PERSONS, Run, ancestries, read_columns

SEX, AGE = "sex", "age"
_RANGE = re.compile(r"pc(\d{1,4})-pc(\d{1,4})")
_POWER = re.compile(r"(?P<base>.+)\^(?P<power>[2-9])")

Values = npt.NDArray[np.float64]


class Factor(NamedTuple):
    """A covariate raised to a power."""

    base: str
    power: int


@dataclass(frozen=True)
class Term:
    """A covariate of the model: a product of factors."""

    name: str
    factors: tuple[Factor, ...]


def parse_terms(names: Sequence[str], known: Container[str] = ()) -> list[Term]:
    """Terms by name, each once, ranges of components written out; a ``known`` name is one covariate.

    Raises BadSource where a range has no component.

    >>> [term.name for term in parse_terms(["age", "pc1-pc3", "age^2", "age"])]
    ['age', 'pc1', 'pc2', 'pc3', 'age^2']
    >>> parse_terms(["age^2*sex"])[0].factors
    (Factor(base='age', power=2), Factor(base='sex', power=1))
    """
    written = []
    for name in (name.strip() for name in names):
        parts = None if name in known else _RANGE.fullmatch(name)
        if parts is None:
            written += [name] if name else []
            continue
        first, last = int(parts[1]), int(parts[2])
        if not 1 <= first <= last:
            raise BadSource(f"covariates {name}: components are numbered from 1, the smaller number first")
        written += [f"pc{number}" for number in range(first, last + 1)]
    return [Term(name, _factors(name, known)) for name in dict.fromkeys(written)]


def _factors(name: str, known: Container[str]) -> tuple[Factor, ...]:
    return (Factor(name, 1),) if name in known else tuple(map(_factor, name.split("*")))


def _factor(text: str) -> Factor:
    parts = _POWER.fullmatch(text.strip())
    return Factor(parts["base"].strip(), int(parts["power"])) if parts else Factor(text.strip(), 1)


def read_covariates(
    run: Run, people: People, names: Sequence[str], file: CovariateFile | None, *, with_sex: bool
) -> Covariates:
    """The covariates of all people; ``with_sex``: sex is one of them, whether or not it is named.

    Raises BadSource naming all that are not there, and what there is; or where the file has no column of
    them, or components come from several models.
    """
    sources = _sources(run, people, file)
    terms = parse_terms(names, sources)
    if with_sex and SEX not in [term.name for term in terms]:
        terms.insert(0, Term(SEX, (Factor(SEX, 1),)))
        run.progress("sex is taken for a covariate too, as variants on X are scanned")
    bases = list(dict.fromkeys(factor.base for term in terms for factor in term.factors))
    _check_known([term for term in terms if any(item.base not in sources for item in term.factors)], sources)
    if file is not None:
        _check_used(run, file, bases, people)
    values = {base: sources[base]() for base in bases}
    columns = [_product(term, values) for term in terms]
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(people), 0))
    return Covariates(tuple(term.name for term in terms), stacked)


def _product(term: Term, values: Mapping[str, Values]) -> Values:
    product = np.ones(len(next(iter(values.values()))))
    with np.errstate(over="ignore"):
        for factor in term.factors:
            product = product * values[factor.base] ** factor.power
    if n_infinite := int(np.isinf(product).sum()):
        raise BadSource(f"covariate {term.name}: {n_infinite:,} people have a value beyond 1e308; rescale it")
    return product


def _check_known(unknown: Sequence[Term], sources: Mapping[str, object]) -> None:
    if not unknown:
        return
    lacking = ", ".join(_shortened([term.name for term in unknown]))
    raise BadSource(
        f"covariates that are not there: {lacking}. There are: "
        f"{', '.join(_shortened(list(sources)))}. Run allofus ingest-persons for age and allofus "
        "infer-ancestry for pc1, pc2, ..., give --covariate-file, or name others with --covariate."
    )


def _shortened(names: Sequence[str]) -> list[str]:
    """Names for a message, components as one."""
    components = [name for name in names if re.fullmatch(r"pc\d+", name)]
    if len(components) < 3:
        return list(names)
    return [*(name for name in names if name not in components), f"{components[0]}-{components[-1]}"]


def _check_used(run: Run, file: CovariateFile, bases: Sequence[str], people: People) -> None:
    used = [base for base in bases if base in file.columns]
    if not used:
        held = [name for name in file.columns if name != file.id_column]
        raise BadSource(
            f"{file.path}: none of its columns ({', '.join(held)}) is among the covariates; name them with "
            "--covariate"
        )
    n_known = check_ids(file, _ids(file, people))
    run.progress(f"{', '.join(used)} of {n_known:,} people come from {file.path}")


def _ids(file: CovariateFile, people: People) -> Sequence[str]:
    if file.id_column == "person_id":
        return people.person_ids
    return [sample.sample_id for sample in people.samples]


def _sources(run: Run, people: People, file: CovariateFile | None) -> dict[str, Callable[[], Values]]:
    """What there is by name, read when it is asked for; a column of the file goes first."""
    sources: dict[str, Callable[[], Values]] = {SEX: lambda: _sex(people)}
    if run.holds(PERSONS):
        sources[AGE] = lambda: _ages(run, people)
    components = _components(run, people)
    for number in range(components.shape[1]):
        sources[f"pc{number + 1}"] = partial(_column, components, number)
    if file is not None:
        ids = _ids(file, people)
        for column in file.columns:
            if column != file.id_column:
                sources[column] = partial(file.values, column, ids)
    return sources


def _column(values: Values, number: int) -> Values:
    return np.asarray(values[:, number])


def _sex(people: People) -> Values:
    code = {XX: 0.0, XY: 1.0}
    return np.array([code.get(sample.sex_class, np.nan) for sample in people.samples])


def _ages(run: Run, people: People) -> Values:
    rows = read_columns(run, PERSONS, ["person_id", "age_at_enrolment_years"])
    held = dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    return np.array([held.get(name) for name in people.person_ids], np.float64)


def _components(run: Run, people: People) -> Values:
    """float64[n, components] of ``ancestries``, NaN where a sample has none; no column without the table."""
    table = ancestries(run.warehouse.settings.frequencies.ancestry_groups)
    if not run.holds(table):
        return np.zeros((len(people), 0))
    columns = ["callset_id", "sample_index", "model_id", "pcs"]
    rows = read_columns(run, table, columns, {"callset_id": list(people.axis.firsts)})
    rows = rows.filter(pc.is_valid(rows.column("pcs")))
    if not len(rows):
        return np.zeros((len(people), 0))
    models = sorted(rows.column("model_id").unique().to_pylist())
    if len(models) > 1:
        raise BadSource(
            f"the principal components of the active callsets come from {len(models)} models "
            f"({', '.join(models)}) and cannot be compared; run allofus infer-ancestry project for all "
            "callsets"
        )
    firsts = np.array([people.axis.firsts[name] for name in rows.column("callset_id").to_pylist()])
    values = matrix_of(rows.column("pcs").combine_chunks())
    scores = np.full((len(people.axis), values.shape[1]), np.nan)
    scores[firsts + np.asarray(rows.column("sample_index"))] = values
    return np.asarray(scores[people.places])
