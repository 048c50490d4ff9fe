"""Sites of any source as lines of VCF's fixed columns, so that one scanner judges them all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.ingest.vcf.scan import Bytes, Offsets


@dataclass(frozen=True, eq=False)
class SiteLines:
    """Lines in a row, and the number in the source of the first."""

    data: Bytes
    line_starts: Offsets
    first: int

    def locate(self, line_starts: Offsets, /) -> Offsets:
        """The number of each line in the source, from 0."""
        places: Offsets = np.searchsorted(self.line_starts, line_starts) + self.first
        return places


def site_lines(sites: pa.Table, first: int) -> SiteLines:
    """A line for each row of contig, position, id, ref, alts (list), qual, filter: texts, ``.`` where absent.

    ``first`` is the number of the first row in its source.
    """
    names = ("contig", "position", "id", "ref", "alts", "qual", "filter")
    columns = {name: sites[name].combine_chunks() for name in names}
    columns["position"] = columns["position"].cast(pa.string())
    columns["alts"] = pc.binary_join(columns["alts"], ",")
    alts = columns["alts"]
    # PLINK writes 0 for an allele that nobody has.
    columns["alts"] = pc.if_else(pc.or_(pc.equal(alts, "0"), pc.equal(alts, "")), ".", alts)
    lines = pc.binary_join_element_wise(*columns.values(), ".\n", "\t").cast(pa.large_string())
    _, offsets, data = lines.buffers()
    starts = np.frombuffer(offsets, np.int64)[lines.offset : lines.offset + len(lines) + 1]
    text = (
        np.frombuffer(data, np.uint8)[starts[0] : starts[-1]] if data is not None else np.zeros(0, np.uint8)
    )
    return SiteLines(text, starts - starts[0], first)
