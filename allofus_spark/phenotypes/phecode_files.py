"""Files of maps of codes to phecodes, as the published tools write them: recognised by their columns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from allofus_spark.delimited import read_table, read_text
from allofus_spark.errors import BadSource, shown
from allofus_spark.phenotypes.exclusions import ranges_of_text
from allofus_spark.phenotypes.phecode_map import ICD9CM, ICD10CM, Code, Phecode, PhecodeMap, compared
from allofus_spark.tables.phenotype_tables import BOTH_SEXES, FEMALE, MALE

_SHORT = re.compile(r"\d{1,2}(\.|$)")
_SEXES = {"": BOTH_SEXES, "both": BOTH_SEXES, "female": FEMALE, "f": FEMALE, "male": MALE, "m": MALE}
_FLAGS = ("9", "10")

Row = Mapping[str, str]


class Format(NamedTuple):
    """A form of map: what tells it, and how a row is read into it."""

    name: str
    columns: frozenset[str]
    rolled_up: bool
    add: Callable[[PhecodeMap, Row, str], None]


def read_phecode_map(paths: Sequence[str], *, icd10: str = ICD10CM) -> PhecodeMap:
    """One map of one or several files of the same form; ``icd10`` is the vocabulary of their ICD-10 codes.

    Raises BadSource where a file's columns are of no form that is known, naming them; for files of different
    forms; and naming rows without a code or phecode.
    """
    whole: PhecodeMap | None = None
    for path in paths:
        header, rows = read_table(path, "phecode")
        form = _form(path, header)
        if whole is None:
            whole = PhecodeMap(form.name, form.rolled_up, sha256="")
        elif not whole.format.startswith(form.name.split(" ")[0]):
            raise BadSource(f"{path} is a map as of {form.name}, the one before as of {whole.format}")
        _add_rows(whole, form, path, header, rows, icd10)
    if whole is None or not whole.phecodes:
        raise BadSource(f"{shown(list(paths))}: no codes in it; a map has a row for each code and phecode")
    digest = hashlib.sha256("".join(read_text(path) for path in paths).encode())
    whole.sha256 = digest.hexdigest()
    for phecode in {phecode for found in whole.phecodes.values() for phecode in found}:
        whole.about.setdefault(phecode, Phecode(f"phecode {phecode}", None, BOTH_SEXES))
    return whole


def _form(path: str | Path, header: Sequence[str]) -> Format:
    columns = {name.strip().lower() for name in header}
    for form in _FORMS:
        if form.columns <= columns:
            return form
    known = "; ".join(f"{', '.join(sorted(form.columns))} ({form.name})" for form in _FORMS)
    raise BadSource(
        f"{path}: no map of phecodes is known with the columns {', '.join(header)}. Known are: {known}"
    )


def _add_rows(
    whole: PhecodeMap,
    form: Format,
    path: str,
    header: Sequence[str],
    rows: Iterable[tuple[int, list[str]]],
    icd10: str,
) -> None:
    names = [name.strip().lower() for name in header]
    problems = []
    for number, row in rows:
        if len(row) != len(names):
            problems.append(f"line {number} has {len(row)} fields, not {len(names)}")
            continue
        try:
            form.add(whole, dict(zip(names, (cell.strip() for cell in row), strict=True)), icd10)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise BadSource(f"{path}: {len(problems)} rows are not understood: {shown(problems)}")


def _add(whole: PhecodeMap, vocabulary: str, code: str, phecode: str) -> Code | None:
    """The code, put to its phecode; None where the map says that the code has none."""
    if not phecode:
        return None
    key = Code(vocabulary.strip().upper(), compared(code))
    if not key.vocabulary or not key.code:
        raise ValueError("no code or vocabulary")
    whole.phecodes[key].add(phecode)
    if key.vocabulary == ICD9CM and _SHORT.match(code):
        whole.short_codes.add(code)
    return key


def _by_flag(row: Row, icd10: str) -> str:
    if row["flag"] not in _FLAGS:
        raise ValueError(f"flag {row['flag']!r} is not 9 or 10")
    return ICD9CM if row["flag"] == "9" else icd10


def _about(row: Row, description: str, category: str) -> Phecode:
    sex = row["sex"].lower()
    if sex not in _SEXES:
        raise ValueError(f"sex {row['sex']!r} is not Both, Female, Male or empty")
    return Phecode(row[description], row[category] or None, _SEXES[sex])


def _add_phetk(whole: PhecodeMap, row: Row, icd10: str) -> None:
    """PheTK's phecode 1.2: a row for each ancestor, in ``phecode_unrolled``; the rest is of ``phecode``."""
    _add(whole, _by_flag(row, icd10), row["icd"], row["phecode_unrolled"])
    if row["phecode"] and row["phecode"] not in whole.about:
        whole.about[row["phecode"]] = _about(row, "phecode_string", "phecode_category")
        whole.excluded[row["phecode"]].update(filter(None, map(str.strip, row["exclude_range"].split(","))))


def _add_phetk_x(whole: PhecodeMap, row: Row, icd10: str) -> None:
    _add(whole, _by_flag(row, icd10), row["icd"], row["phecode"])
    if row["phecode"] and row["phecode"] not in whole.about:
        whole.about[row["phecode"]] = _about(row, "phecode_string", "phecode_category")


def _add_flagged(whole: PhecodeMap, row: Row, icd10: str) -> None:
    _add(whole, _by_flag(row, icd10), row["icd"], row["phecode"])


def _add_plain(whole: PhecodeMap, row: Row, icd10: str) -> None:  # noqa: ARG001 - the row says its vocabulary
    _add(whole, row["vocabulary_id"], row["code"], row["phecode"])


def _add_pyphewas(whole: PhecodeMap, row: Row, icd10: str) -> None:
    code = _add(
        whole, ICD9CM if "icd9" in row else icd10, row.get("icd9") or row.get("icd10", ""), row["phecode"]
    )
    if code is None:
        return
    if row.get("rollup", "1") not in ("", "1", "1.0"):
        whole.not_rolled_up.add(code)
    known = whole.about.get(row["phecode"])
    said = _about(row, "phenotype", "category_string")
    # Not every row says the sex.
    if known is None or known.sex == BOTH_SEXES:
        whole.about[row["phecode"]] = said
        whole.ranges[row["phecode"]] = ranges_of_text(row["excl. phecodes"])


_FORMS = (
    Format(
        "PheTK phecode 1.2",
        frozenset({"phecode", "icd", "flag", "phecode_string", "phecode_category", "exclude_range", "sex"})
        | {"phecode_unrolled"},
        True,
        _add_phetk,
    ),
    Format(
        "PheTK phecode X",
        frozenset({"phecode", "icd", "flag", "phecode_string", "phecode_category", "sex", "icd10_only"}),
        True,
        _add_phetk_x,
    ),
    Format("PGRM", frozenset({"icd", "flag", "phecode"}), True, _add_flagged),
    Format("PheWAS", frozenset({"vocabulary_id", "code", "phecode"}), False, _add_plain),
    Format(
        "pyPheWAS ICD-9",
        frozenset({"icd9", "phecode", "phenotype", "excl. phecodes", "rollup", "sex", "category_string"}),
        False,
        _add_pyphewas,
    ),
    Format(
        "pyPheWAS ICD-10",
        frozenset({"icd10", "phecode", "phenotype", "excl. phecodes", "sex", "category_string"}),
        False,
        _add_pyphewas,
    ),
)
