"""Makes ``faf95_hail.json``: ``python -m tests.reference.faf95_by_hail``, with Hail in the environment."""

from __future__ import annotations

import json
from pathlib import Path

import hail as hl

ALLELE_COUNTS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 50, 100, 200, 500, 1_000, 3_000, 10_000, 100_000)
ALLELE_NUMBERS = (1, 2, 5, 10, 100, 999, 1_006, 6_404, 30_000, 152_312, 490_776)
CONFIDENCE = 0.95
TARGET = Path(__file__).with_name("faf95_hail.json")


def main() -> None:
    hl.init(quiet=True)
    pairs = [(ac, an) for an in ALLELE_NUMBERS for ac in ALLELE_COUNTS if ac <= an]
    values = hl.eval([hl.experimental.filtering_allele_frequency(ac, an, CONFIDENCE) for ac, an in pairs])
    rows = [[ac, an, value] for (ac, an), value in zip(pairs, values, strict=True)]
    made_by = "hail.experimental.filtering_allele_frequency(ac, an, 0.95)"
    TARGET.write_text(json.dumps({"made_by": made_by, "hail": hl.version(), "ac_an_faf95": rows}) + "\n")


if __name__ == "__main__":
    main()
