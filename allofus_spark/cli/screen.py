"""What screens of several commands are drawn with."""

from __future__ import annotations

import shutil
import sys

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Columns at the least: a narrower terminal breaks lines by itself, and no digit is cut.
_LEAST_WIDTH = 130
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def screen() -> Console:
    """A console as wide as the tables need, and as the terminal where that is wider."""
    terminal = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    return Console(width=max(terminal, _LEAST_WIDTH), highlight=False)


def grid(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns named in ``numbers`` are set to the right."""
    heading = Text(title, no_wrap=True, overflow="ignore")  # may be wider than the table
    table = Table(box=box.SIMPLE, title=heading, title_justify="left", title_style="bold", pad_edge=False)
    for name in columns:
        number = name in numbers
        table.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
    return table


def bar(share: float, width: int) -> str:
    """Blocks for a share between 0 and 1 of ``width`` characters; what is not 0 is at least an eighth.

    >>> bar(0.5, 3), bar(1e-9, 3), bar(0, 3)
    ('█▌', '▏', '')
    """
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def percent(part: int, whole: int) -> str:
    """A share in per cent, with one decimal; empty where the whole is 0.

    >>> percent(1, 3), percent(1, 0)
    ('33.3 %', '')
    """
    return f"{100 * part / whole:.1f} %" if whole else ""
