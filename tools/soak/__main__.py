"""Command line of the soak."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tools.soak.kills import DRIVER, soak
from tools.soak.stages import STAGES


def main() -> None:
    """Run it, and leave with 1 where a table differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=2 * len(STAGES), help="of drivers and workers, in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        report = soak(
            Path(folder),
            kills=options.kills,
            seed=options.seed,
            stages=options.stages,
            say=lambda line: print(line, flush=True),
        )
    drivers = sum(kill.kind == DRIVER for kill in report.kills)
    print(
        f"{len(report.kills)} kills, {drivers} of drivers and {len(report.kills) - drivers} of workers, "
        f"{report.share_inside:.0%} inside a stage; {time.monotonic() - began:.0f} s. "
        f"{len(report.tables)} tables: "
        + (
            f"different: {', '.join(report.different)}"
            if report.different
            else "all as in an undisturbed run"
        )
    )
    raise SystemExit(bool(report.different))


if __name__ == "__main__":
    main()
