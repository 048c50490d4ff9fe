"""What all sections of the settings share: their base, and types of values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MIB = 1024 * 1024


# Names that can stand in a path: of callsets, catalogues and their sets, annotators.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class Section(BaseModel):
    """Immutable, and closed: a key that is not declared is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_TAKEN_GROUP_NAMES = frozenset({"all", "max", "overall", "overall_xx", "overall_xy", "unlabelled"})


def _is_group_name(name: str) -> str:
    if not (name.isascii() and name.isidentifier() and name.islower()):
        raise ValueError("a group name is made of lower-case letters, digits and _, such as afr")
    if name in _TAKEN_GROUP_NAMES:
        raise ValueError(f"{name} names a column of its own; give the group another name")
    return name


def _are_unique(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"name each group once; repeated: {', '.join(repeated)}")
    return names


def as_tuple(names: Any) -> Any:
    return tuple(names) if isinstance(names, list) else names  # TOML's lists stay mutable otherwise


GroupName = Annotated[str, AfterValidator(_is_group_name)]


GroupNames = Annotated[
    tuple[GroupName, ...], Field(min_length=1), AfterValidator(_are_unique), BeforeValidator(as_tuple)
]


FilterNames = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]


AnswerTexts = Annotated[
    tuple[str, ...],
    AfterValidator(lambda texts: tuple(text.strip().lower() for text in texts)),
    BeforeValidator(as_tuple),
]


def max_rows_per_batch(n_samples: int, bytes_per_sample: float, limit_bytes: int) -> int:
    """Rows of one value a sample that stay within `limit_bytes`; at least 1, even if that row exceeds it.

    >>> max_rows_per_batch(400_000, 8, 132_152_839 * 8)  # float64, and the most values of one Arrow buffer
    330
    """
    return max(1, int(limit_bytes // (max(n_samples, 1) * bytes_per_sample)))
