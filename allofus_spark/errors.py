"""Errors that a user can act on: each message says what is wrong, where, how many, and what to do."""

from collections.abc import Sequence

_SHOWN_NAMES = 5
_SHOWN_CHARACTERS = 200  # of a name: a cell of a file may hold a book


class AllofusError(Exception):
    """Base of every error that the command line prints without a traceback."""


class EnvironmentProblem(AllofusError):
    """Java, Python, a jar or a Spark setting is missing or of the wrong version."""


class SettingsError(AllofusError):
    """A settings file or a `--set` option has an unknown key or a wrong value."""


class BuildMismatch(AllofusError):
    """A source, FASTA or option belongs to another genome build than the warehouse."""


class BadSource(AllofusError):
    """An input file cannot be read whole: truncated, corrupt, of an unknown kind, or of the wrong form."""


class BadSamples(AllofusError):
    """Sample ids or labels are repeated, unknown or contradictory."""


class ContractViolation(AllofusError):
    """A frame does not fit its table: columns, types, keys or checks."""


class AnnotationFailed(AllofusError):
    """An annotator could not say what an allele does, or said what is not understood."""


class WarehouseBusy(AllofusError):
    """Another run works in the warehouse, or has worked there since this one began."""


class StorageProblem(AllofusError):
    """The tables' place, or that of temporary files, is full or cannot be written."""


class Disclosure(AllofusError):
    """Counts of few people could be derived from what was to be published."""


class QueryRefused(AllofusError):
    """A query is not one SELECT over named tables."""


class AccessRefused(AllofusError):
    """Who asks may not see it, or it could not be written down that they did."""


class NotFound(AllofusError):
    """What was asked for is not in the tables."""


def shown(names: Sequence[str]) -> str:
    """The first few names for a message, and how many more there are."""
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(map(readable, names[:_SHOWN_NAMES])) + more


def readable(text: str) -> str:
    """A text out of a file for a message: cut where it is long, and what moves a cursor written out.

    >>> print(readable("a\\nb"))
    a\\nb
    """
    cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in cut)
