"""Files of ancestry labels that were inferred elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from allofus_spark.delimited import places_of, read_table
from allofus_spark.errors import BadSamples, shown

COLUMNS = ("sample_id", "ancestry", "ancestry_before_threshold", "pcs")
_NO_LABEL = frozenset({"", ".", "na", "nan", "none", "null"})
# Scores are about 1, or the sum over some hundred thousand sites; squares of larger ones are not finite.
_LARGEST_SCORE = 1e12
_NUMBERED_PC = re.compile(r"PC[1-9]\d*", re.IGNORECASE)


@dataclass(frozen=True)
class ImportedLabel:
    """One row; ``ancestry`` None: the file has no label for the sample."""

    ancestry: str | None
    before_threshold: str | None
    pcs: tuple[float, ...] | None


@dataclass(frozen=True)
class _Places:
    """Where a file has its columns; ``numbered`` are PC1, PC2, … in order."""

    of: Mapping[str, int]
    numbered: tuple[int, ...]


def read_label_file(
    path: str | Path, columns: Mapping[str, str], ancestry_groups: Sequence[str]
) -> dict[str, ImportedLabel]:
    """Labels by sample id, of a TSV or CSV with a header.

    Parameters
    ----------
    path
        File with columns ``sample_id``, ``ancestry`` and, where there are any, ``ancestry_before_threshold``
        and scores: ``pcs`` with a JSON list, or PC1, PC2, … Further columns are left alone.
    columns
        The file's name of a column where it is not the one above.

    Raises BadSamples naming columns that are lacking, bad rows, labels outside ``ancestry_groups`` and
    samples with two rows.
    """
    header, rows = read_table(path, "sample_id")
    places = _places(path, header, columns)
    labels: dict[str, ImportedLabel] = {}
    problems: list[str] = []
    repeated: list[str] = []
    for number, row in rows:
        sample_id = row[places.of["sample_id"]] if len(row) == len(header) else ""
        try:
            if not sample_id.strip():
                is_whole = len(row) == len(header)
                raise ValueError("empty sample id" if is_whole else f"{len(row)} fields, not {len(header)}")
            label = _read_label(row, places, ancestry_groups)
        except ValueError as error:
            problems.append(f"line {number}{f', sample {sample_id}' if sample_id else ''}: {error}")
            continue
        if sample_id in labels:
            repeated.append(sample_id)
        labels[sample_id] = label
    if problems:
        raise BadSamples(f"{path}: {len(problems)} bad rows, nothing was written: {shown(problems)}")
    if repeated:
        raise BadSamples(
            f"{path}: {len(repeated)} samples have two rows or more: {shown(repeated)}; keep one of each"
        )
    _check_lengths(path, labels)
    return labels


def _places(path: str | Path, header: Sequence[str], columns: Mapping[str, str]) -> _Places:
    places = places_of(path, header, COLUMNS, columns, ("sample_id", "ancestry"))
    numbered = sorted(
        (int(name[2:]), place) for place, name in enumerate(header) if _NUMBERED_PC.fullmatch(name)
    )
    if [number for number, _ in numbered] != list(range(1, len(numbered) + 1)):
        raise BadSamples(
            f"{path}: its scores are not PC1, PC2 and so on, each once: "
            f"{shown([f'PC{number}' for number, _ in numbered])}"
        )
    return _Places(places, tuple(place for _, place in numbered))


def _read_label(row: Sequence[str], places: _Places, ancestry_groups: Sequence[str]) -> ImportedLabel:
    texts = {name: row[place].strip() for name, place in places.of.items()}
    ancestry = _read_group(texts["ancestry"], ancestry_groups)
    before = _read_group(texts.get("ancestry_before_threshold", ""), ancestry_groups)
    return ImportedLabel(ancestry, before or ancestry, _read_scores(row, places))


def _read_group(text: str, ancestry_groups: Sequence[str]) -> str | None:
    if text.lower() in _NO_LABEL:
        return None
    if text.lower() not in ancestry_groups:
        raise ValueError(f"ancestry {text!r} is not among {', '.join(ancestry_groups)}")
    return text.lower()


def _read_scores(row: Sequence[str], places: _Places) -> tuple[float, ...] | None:
    """Scores of a row; None where the file has none for it."""
    if "pcs" in places.of:
        text = row[places.of["pcs"]].strip()
        if text.lower() in _NO_LABEL:
            return None
        try:
            # Numbers of any size: one that is too large for a double is infinite, and refused as that.
            values = json.loads(text, parse_int=float)
        except (json.JSONDecodeError, RecursionError):
            values = None
        is_list = isinstance(values, list)
        if not is_list or not all(type(value) is float for value in values):
            raise ValueError(f"scores {text[:40]!r} are not a JSON list of numbers")
        if not values:
            return None
    elif places.numbered:
        texts = [row[place].strip() for place in places.numbered]
        if all(text.lower() in _NO_LABEL for text in texts):
            return None
        values = [_read_number(text) for text in texts]
    else:
        return None
    if not all(abs(value) <= _LARGEST_SCORE for value in values):  # NaN is not
        raise ValueError(f"a score is not a number of at most {_LARGEST_SCORE:g}")
    return tuple(values)


def _read_number(text: str) -> float:
    """A number as files have it; Python also takes 1_0 for 10."""
    if not text or "_" in text:
        raise ValueError(f"score {text!r} is not a number")
    return float(text)


def _check_lengths(path: str | Path, labels: Mapping[str, ImportedLabel]) -> None:
    """Raise BadSamples where rows have different numbers of scores, or there is no label at all."""
    if not any(label.ancestry for label in labels.values()):
        raise BadSamples(f"{path}: no ancestry label in it, nothing was written; add a line for each sample")
    lengths = sorted({len(label.pcs) for label in labels.values() if label.pcs is not None})
    if len(lengths) > 1:
        raise BadSamples(
            f"{path}: rows have different numbers of scores ({', '.join(map(str, lengths))}); give each "
            "sample as many"
        )
