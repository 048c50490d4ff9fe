"""The demo's last part: a release of what was made, attacked, reported on, and ready to be browsed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from allofus_spark.cli.release import print_release
from allofus_spark.cli.verify_release import draw_verification
from allofus_spark.disclosure import verify_release
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.pipeline.release import make_release
from allofus_spark.representation import report_cohort
from allofus_spark.summary import summarise_variants
from allofus_spark.tables import Warehouse

VERSION = "v1"

Say = Callable[[str], None]


def show_release(console: Console, warehouse: Warehouse, say: Say) -> Path:
    """Counts of variants and people, and a release of all; its folder. ``say`` prints the command of each."""
    say("frequencies")
    compute_frequencies(warehouse)  # ancestries were inferred since
    say("summary")
    summarise_variants(warehouse)
    say("report-cohort")
    report_cohort(warehouse)
    say(f"release --version {VERSION}")
    released = make_release(warehouse, VERSION)
    print_release(released)
    say(f"verify-release --version {VERSION}")
    draw_verification(verify_release(released.folder), console)
    return released.folder
