"""Spark's properties files, read as Spark reads them, with what they hide made visible.

Spark takes the last of two lines with one key and says nothing: a package list that replaces another is the
commonest way to lose Delta. Here the replaced values are kept and can be reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from allofus_spark.errors import EnvironmentProblem

# A key runs to the first blank, = or : that no backslash escapes; around one = or : blanks do not count.
_LINE = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class Properties(NamedTuple):
    """The settings that Spark sees, and for a key given more than once the values that it does not."""

    confs: dict[str, str]
    replaced: dict[str, list[str]]

    def warnings(self) -> list[str]:
        """One sentence for each key that is given more than once."""
        return [
            f"{key} is given {len(values) + 1} times, and the last line wins: {self.confs[key]}; "
            f"not used: {' and '.join(values)}"
            for key, values in self.replaced.items()
        ]


def read_properties(*files: Path) -> Properties:
    """Read Spark properties files as one, in their order; EnvironmentProblem where one cannot be read."""
    return parse_properties("\n".join(map(_text, files)))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblem(f"Spark properties file {file} cannot be read: {error}") from error


def parse_properties(text: str) -> Properties:
    """Parse the text of a properties file.

    >>> parse_properties("a 1\\n# b 2\\na = 3").confs
    {'a': '3'}
    """
    confs: dict[str, str] = {}
    replaced: dict[str, list[str]] = {}
    for line in _logical_lines(text):
        match = _LINE.match(line)
        assert match is not None  # every part of the pattern may be empty
        key, value = _unescaped(match[1]), _unescaped(match[2]).strip()
        if key in confs:
            replaced.setdefault(key, []).append(confs[key])
        if key:
            confs[key] = value
    return Properties(confs, replaced)


def _logical_lines(text: str) -> Iterator[str]:
    """Lines with continuations joined, without blank lines and comments."""
    pending = ""
    for line in text.splitlines():
        stripped = line.lstrip()
        if not pending and (not stripped or stripped[0] in "#!"):
            continue
        pending += stripped
        if (len(pending) - len(pending.rstrip("\\"))) % 2:
            pending = pending[:-1]
            continue
        yield pending
        pending = ""
    if pending:
        yield pending


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), text)
