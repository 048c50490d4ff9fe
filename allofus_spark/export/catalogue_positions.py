"""The smaller callset of a catalogue's positions, as the release ships it for ClinVar.

The position is that of the normalised allele, in the catalogue and in the callset.

Source: All of Us Research Program, Controlled Tier data release, ClinVar callset.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.tables import CATALOGUES, KNOWN_VARIANTS, Reader

_POSITION = ("contig", "bin", "position")


def sites_at_known_positions(reader: Reader, sites: DataFrame, catalogue: str) -> DataFrame:
    """Rows of ``variant_sites`` at a position of a catalogue, CATALOGUE=VERSION; joins positions only.

    Raises BadSource naming the catalogues that there are, where it is none of them.
    """
    held = {f"{row.catalogue}={row.version}": row for row in reader.rows(CATALOGUES)}
    if catalogue not in held:
        there_are = f"there are {', '.join(sorted(held))}" if held else "there are none"
        raise BadSource(
            f"--positions-of {catalogue}: no such catalogue, {there_are}; write CATALOGUE=VERSION, and "
            "ingest the catalogue first"
        )
    chosen = held[catalogue]
    of_version = (F.col("catalogue") == chosen.catalogue) & (F.col("version") == chosen.version)
    known = reader.read(KNOWN_VARIANTS).where(of_version).select(*_POSITION)
    return sites.join(known, list(_POSITION), "left_semi")
