"""What the attacker derived, and what he tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 1000  # findings listed, and as many of exempt products; all are counted


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

    ``derived``: the first findings, ``n_derived`` all of them; ``of_exempt``, ``n_exempt``: likewise of the
    products ``exempt``, which may show any count; ``tried``: quantities bounded, by product and kind of
    attack.
    """

    release: str
    floor: int
    earlier: tuple[str, ...] = ()
    exempt: frozenset[str] = frozenset()
    derived: list[Finding] = field(default_factory=list)
    n_derived: int = 0
    of_exempt: list[Finding] = field(default_factory=list)
    n_exempt: int = 0
    tried: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it unless the list is full."""
        self.count(finding.product, 1)
        if self.room(finding.product):
            self._list(finding.product).append(finding)

    def told(
        self,
        product: str,
        row: str,
        quantity: str,
        groups: tuple[str, ...],
        bounds: tuple[int, int] | None,
        how: str,
    ) -> None:
        """Add a count whose bounds lie within 1 to the floor; None: the published numbers contradict."""
        if bounds is not None and bounds[0] >= 1 and bounds[1] <= self.floor:
            self.add(Finding(product, row, quantity, groups, *bounds, how))

    def extend(self, findings: Iterable[Finding]) -> None:
        """Count findings, and keep those for which there is room."""
        for finding in findings:
            self.add(finding)

    def try_kind(self, product: str, kind: str, number: int) -> None:
        """Count quantities of a product that a kind of attack bounded."""
        self.tried.setdefault(product, Counter())[kind] += int(number)

    def count(self, product: str, number: int) -> None:
        """Count findings of a product without listing them."""
        if product in self.exempt:
            self.n_exempt += number
        else:
            self.n_derived += number

    def room(self, product: str) -> int:
        """How many more findings of a product are listed."""
        return KEPT - len(self._list(product))

    def _list(self, product: str) -> list[Finding]:
        return self.of_exempt if product in self.exempt else self.derived

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "release": self.release,
            "floor": self.floor,
            "earlier": list(self.earlier),
            "n_derived": self.n_derived,
            "derived": _as_dicts(self.derived),
            "n_exempt": self.n_exempt,
            "exempt": _as_dicts(self.of_exempt),
            "tried": {product: dict(kinds) for product, kinds in self.tried.items()},
        }


def _as_dicts(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [asdict(finding) | {"groups": list(finding.groups)} for finding in findings]
