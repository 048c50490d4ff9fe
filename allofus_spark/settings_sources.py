"""Where settings come from: a TOML file and command-line options, merged with the origin of each remembered.

The origin is what makes an error useful: it names the file or the option that holds the bad key or value.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from allofus_spark.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KeyPath = tuple[str, ...]
_KINDS = {int: "a whole number", float: "a number", str: "text", tuple: "a list of names", dict: "a table"}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


class Sources:
    """Values merged in order, where each came from, and what is wrong with them."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[str] = []
        self._model = model
        self._fields = dict(leaf_fields(model))
        self._origins: dict[KeyPath, str] = {}

    def add_file(self, file: Path) -> None:
        """Take every key of a TOML file; a file that cannot be read raises SettingsError at once."""
        for path, value in _leaves(_read_toml(file)):
            self.add(path, value, str(file))

    def add_override(self, override: str) -> None:
        """Take one `section.key=value`; an empty value unsets a key that may be unset."""
        key, equals, text = (part.strip() for part in override.partition("="))
        if not equals or not key:
            self.problems.append(f"--set {override}: must be key=value, such as ingest.max_alts=50")
            return
        path = tuple(key.split("."))
        if path[:2] == ("spark", "extra"):  # Spark's own names hold dots
            path = ("spark", "extra", ".".join(path[2:]))
        self.add(path, self._parsed(path, text), "--set")

    def add(self, path: KeyPath, value: Any, origin: str) -> None:
        """Put one value in place; a later one for the same key wins."""
        table = self.values
        for part in path[:-1]:
            nested = table.setdefault(part, {})
            if not isinstance(nested, dict):
                self.problems.append(f"{origin}: {self._unknown(path)}")
                return
            table = nested
        table[path[-1]] = value
        self._origins[path] = origin

    def add_errors(self, error: ValidationError) -> None:
        """Put pydantic's errors in the words of a user: origin, key, value, what is allowed."""
        for detail in error.errors(include_url=False):
            path = tuple(str(part) for part in detail["loc"])
            origin = self._origin(path)
            if detail["type"] == "extra_forbidden":
                problem = self._unknown(path)
            elif detail["type"] == "value_error":
                problem = f"{'.'.join(path)}: {detail['ctx']['error']}"
            else:
                problem = f"{'.'.join(path)} = {detail['input']!r}: must be {self._allowed(path)}"
            self.problems.append(f"{origin}: {problem}")

    def raise_problems(self) -> None:
        """Raise one SettingsError with all problems, if there are any."""
        if self.problems:
            count = "1 setting is" if len(self.problems) == 1 else f"{len(self.problems)} settings are"
            raise SettingsError("\n  ".join([f"{count} wrong:", *self.problems]))

    def _parsed(self, path: KeyPath, text: str) -> Any:
        field = self._fields.get(path)
        if field is not None and not text and type(None) in get_args(field.annotation):
            return None
        is_text = path[:2] == ("spark", "extra") or (field is not None and _kind(field) is str)
        return text if is_text else _toml_value(text)

    def _origin(self, path: KeyPath) -> str:
        """Where the value at `path`, or the first one inside it, or the one around it, came from."""
        for end in range(len(path), 0, -1):
            for known, origin in self._origins.items():
                if known[:end] == path[:end]:
                    return origin
        return "defaults"

    def _unknown(self, path: KeyPath) -> str:
        key = ".".join(path)
        names = {".".join(known): known[-1] for known in self._fields}
        same_name = [full for full, name in names.items() if name == path[-1]]
        close = same_name or difflib.get_close_matches(key, names, n=1, cutoff=0.6)
        if not close:
            by_name = difflib.get_close_matches(path[-1], names.values(), n=1, cutoff=0.6)
            close = [full for full, name in names.items() if name in by_name]
        hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(names)}"
        return f"unknown key {key}: {hint}"

    def _allowed(self, path: KeyPath) -> str:
        field = next(
            (self._fields[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self._fields), None
        )
        if field is None:
            return f"a table of keys ([{'.'.join(path)}])"
        limits = [
            f"{words} {getattr(bound, name)}"
            for bound in field.metadata
            for name, words in _BOUNDS.items()
            if hasattr(bound, name)
        ]
        example = field.get_default(call_default_factory=True)
        shown = list(example) if isinstance(example, tuple) else example
        return " ".join([_KINDS[_kind(field)], " and ".join(limits)]).strip() + (
            f", such as {shown!r}" if shown else ""
        )


def as_spark_confs(value: Any) -> Any:
    """Flatten the tables that TOML makes of dotted names, and spell scalars as Spark does (`true`, `4`)."""
    if not isinstance(value, Mapping):
        return value
    return {".".join(path): _spark_text(leaf) for path, leaf in _leaves(value)}


def leaf_fields(model: type[BaseModel], prefix: KeyPath = ()) -> Iterator[tuple[KeyPath, FieldInfo]]:
    """Every setting of a model and of the sections inside it, with its path, in order."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from leaf_fields(section, (*prefix, name))
        else:
            yield (*prefix, name), field


def _kind(field: FieldInfo) -> type:
    """The plain type of a field: `str` for `str | None`, `tuple` for `tuple[str, ...]`."""
    annotation: Any = field.annotation
    if type(None) in get_args(annotation):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return get_origin(annotation) or annotation  # type: ignore[no-any-return]


def _leaves(table: Mapping[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _spark_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings file {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {file} is not TOML: {error}") from error


def _toml_value(text: str) -> Any:
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return document["value"] if len(document) == 1 else text
