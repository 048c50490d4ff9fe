"""Where settings come from: a TOML file and command-line options, merged with the origin of each kept.

The origin is what makes an error useful: it names the file or the option that holds the bad key or value.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from allofus_spark.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KeyPath = tuple[str, ...]
RAW_SPARK: KeyPath = ("spark", "extra")  # a table of Spark's own names, which hold dots
_KINDS = {int: "a whole number", float: "a number", str: "text", tuple: "a list", dict: "a table"}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


class Sources:
    """Values merged in order, where each came from, and what is wrong with them."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._fields = dict(leaf_fields(model))
        self._sections = {path[:1] for path in self._fields if len(path) > 1}
        self._values: dict[KeyPath, Any] = {}
        self._origins: dict[KeyPath, str] = {}
        self._problems: list[str] = []

    def add_file(self, file: Path) -> None:
        """Take every key of a TOML file; a file that cannot be read raises SettingsError at once."""
        for path, value in _leaves(_read_toml(file)):
            self.add(path, value, str(file))

    def add_override(self, override: str) -> None:
        """Take one `section.key=value`; an empty value unsets a key that may be unset."""
        key, equals, text = (part.strip() for part in override.partition("="))
        if not equals or not key:
            self._problems.append(f"--set {override}: must be key=value, such as ingest.max_alts=50")
            return
        path = tuple(key.split("."))
        self.add(path, self._parsed(path, text), "--set")

    def add(self, path: KeyPath, value: Any, origin: str) -> None:
        """Put one value in place; a later one for the same key wins."""
        if path[:2] == RAW_SPARK and len(path) > 2:
            path, value = (*RAW_SPARK, ".".join(path[2:])), _spark_text(value)
        elif path in self._sections:
            if value != {}:
                key = ".".join(path)
                self._problems.append(f"{origin}: {key} = {value!r}: {key} is a table, so write {key}.KEY")
            return
        elif path not in self._fields:
            self._problems.append(f"{origin}: {self._unknown(path)}")
            return
        self._values[path] = value
        self._origins[path] = origin

    def values(self) -> dict[str, Any]:
        """The merged values as nested tables: the input of the model."""
        nested: dict[str, Any] = {}
        for path, value in self._values.items():
            table = nested
            for part in path[:-1]:
                table = table.setdefault(part, {})
            table[path[-1]] = value
        return nested

    def add_errors(self, error: ValidationError) -> None:
        """Put pydantic's errors in the words of a user: origin, key, value, what is allowed."""
        for detail in error.errors(include_url=False):
            path = tuple(str(part) for part in detail["loc"])
            own_words = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else None
            if own_words is None and self._is_inside_a_table_of_a_list(path):
                own_words = detail["msg"]
            where = f"{self._origin(path)}: {'.'.join(path)}"
            if own_words is not None and path in self._sections:
                self._problems.append(f"{where}: {own_words}")
            else:
                self._problems.append(f"{where} = {detail['input']!r}: {own_words or self._allowed(path)}")

    def raise_problems(self) -> None:
        """Raise one SettingsError with all problems, if there are any."""
        if self._problems:
            count = len(self._problems)
            heading = "1 setting is wrong:" if count == 1 else f"{count} settings are wrong:"
            raise SettingsError("\n  ".join([heading, *self._problems]))

    def _parsed(self, path: KeyPath, text: str) -> Any:
        """The value of an override: text for a key that holds text, else TOML, else text."""
        field = self._fields.get(path)
        if path[:2] == RAW_SPARK:
            return text
        if field is not None and not text and type(None) in get_args(field.annotation):
            return None
        return text if field is not None and _kind(field) is str else _toml_value(text)

    def _is_inside_a_table_of_a_list(self, path: KeyPath) -> bool:
        return any(path[:end] in self._fields for end in range(1, len(path) - 1))

    def _origin(self, path: KeyPath) -> str:
        """Where the value at `path` came from; for a section, the last of its values."""
        for end in range(len(path), 0, -1):
            for known, origin in reversed(self._origins.items()):
                if known[:end] == path[:end]:
                    return origin
        return "defaults"

    def _unknown(self, path: KeyPath) -> str:
        key = ".".join(path)
        known = {".".join(field): field[-1] for field in self._fields}
        same_name = [full for full, name in known.items() if name == path[-1]]
        near = same_name or difflib.get_close_matches(key, known, n=1)
        if not near:
            near_names = difflib.get_close_matches(path[-1], known.values(), n=1)
            near = [full for full, name in known.items() if name in near_names]
        if near:
            return f"unknown key {key}: did you mean {near[0]}?"
        inside = [full for full in known if path[:1] in self._sections and full.startswith(f"{path[0]}.")]
        names = inside or [field[0] for field in self._fields if len(field) == 1]
        sections = (
            "" if inside else f"; the sections are {', '.join(sorted(name for (name,) in self._sections))}"
        )
        return f"unknown key {key}: the keys are {', '.join(names)}{sections}"

    def _allowed(self, path: KeyPath) -> str:
        field = next(
            self._fields[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self._fields
        )
        if choices := _choices(field.annotation):
            return f"must be {' or '.join(map(str, choices))}"
        limits = [
            f"{words} {getattr(bound, name)}"
            for bound in field.metadata
            for name, words in _BOUNDS.items()
            if hasattr(bound, name)
        ]
        default = field.get_default(call_default_factory=True)
        example = list(default) if isinstance(default, tuple) else default
        kind = " ".join(["must be", _KINDS[_kind(field)], " and ".join(limits)]).strip()
        return f"{kind}, such as {example!r}" if example else kind


def leaf_fields(model: type[BaseModel], prefix: KeyPath = ()) -> Iterator[tuple[KeyPath, FieldInfo]]:
    """Every setting of a model and of the sections inside it, with its path, in order."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from leaf_fields(section, (*prefix, name))
        else:
            yield (*prefix, name), field


def _choices(annotation: Any) -> list[Any]:
    """Values of a `Literal`, and of one that may be unset."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for part in get_args(annotation) for value in _choices(part)]


def _kind(field: FieldInfo) -> type:
    """The plain type of a field: `str` for `str | None`, `tuple` for `tuple[str, ...]`."""
    annotation: Any = field.annotation
    if type(None) in get_args(annotation):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    kind: type = get_origin(annotation) or annotation
    return kind


def _leaves(table: Mapping[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _spark_text(value: Any) -> Any:
    """A scalar as Spark spells it: `true`, `4`."""
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
