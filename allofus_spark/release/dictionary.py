"""dictionary.json: every product and column of a release, for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from allofus_spark.published import Manifest, products
from allofus_spark.release.folder import write_json

_NULL = "null: withheld, or nothing to count; see the column"


def write_dictionary(folder: Path, manifest: Manifest) -> Path:
    """Write dictionary.json: what rows and columns are, how counts of people are kept, and the keys."""
    keys = {table.name: table for table in products(manifest.groups)}
    described: dict[str, Any] = {
        "release": manifest.release,
        "build": manifest.build,
        "floor": manifest.floor,
        "round_to": manifest.round_to,
        "null": _NULL,
        "products": [
            {
                "name": product.name,
                "grain": product.grain,
                "key": list(keys[product.name].key),
                "sorted_by": list(keys[product.name].sort_by),
                "policy": product.policy,
                "reason": product.reason,
                "columns": [column.model_dump() for column in product.columns],
            }
            for product in manifest.products
        ],
    }
    return write_json(folder / "dictionary.json", described)
