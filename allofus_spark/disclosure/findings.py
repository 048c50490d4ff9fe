"""What the attacker derived, and what he tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 1000  # findings listed; all are counted


@dataclass(frozen=True)
class Finding:
    """A count of people known to lie in ``lo``..``hi``, within 1 to the floor.

    ``quantity``: what is counted, such as carriers; ``groups``: whose, a union where there are several;
    ``how``: the sentence that says by what.
    """

    product: str
    row: str
    quantity: str
    groups: tuple[str, ...]
    lo: int
    hi: int
    how: str

    def __str__(self) -> str:
        count = f"{self.lo}" if self.lo == self.hi else f"{self.lo} to {self.hi}"
        return f"{self.product} {self.row}: {count} {self.quantity} in {' + '.join(self.groups)}: {self.how}"


@dataclass
class Verification:
    """The result of an attack on one release.

    ``derived``: the first findings, ``n_derived`` all of them; ``tried``: quantities bounded, by product and
    kind of attack; ``files``: files read.
    """

    release: str
    floor: int
    earlier: tuple[str, ...] = ()
    derived: list[Finding] = field(default_factory=list)
    n_derived: int = 0
    tried: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it unless the list is full."""
        self.n_derived += 1
        if len(self.derived) < KEPT:
            self.derived.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Count findings, and keep those for which there is room."""
        for finding in findings:
            self.add(finding)

    def try_kind(self, product: str, kind: str, number: int) -> None:
        """Count quantities of a product that a kind of attack bounded."""
        self.tried.setdefault(product, Counter())[kind] += int(number)

    @property
    def room(self) -> int:
        """How many more findings are listed."""
        return max(0, KEPT - len(self.derived))

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "release": self.release,
            "floor": self.floor,
            "earlier": list(self.earlier),
            "n_derived": self.n_derived,
            "derived": [asdict(finding) | {"groups": list(finding.groups)} for finding in self.derived],
            "tried": {product: dict(kinds) for product, kinds in self.tried.items()},
        }
