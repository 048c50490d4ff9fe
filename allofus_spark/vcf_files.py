"""What every VCF that is written here has: its meta lines and its index."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pysam

from allofus_spark import __version__
from allofus_spark.genome import Build

VCF_ENDING = ".vcf.gz"
_TBI_LAST_POSITION = 1 << 29  # what a tabix index can hold; longer contigs take the CSI form


def meta_lines(
    build: Build, contigs: Iterable[str], filters: Iterable[str] = (), version: str = "4.2"
) -> str:
    """Meta lines on the VCF's version, origin, filters and contigs; contigs of no known length come last."""
    others = [contig for contig in contigs if contig not in build.contig_lengths]
    return "".join(
        [
            f"##fileformat=VCFv{version}\n",
            f"##source=allofus-spark {__version__}\n",
            *(f'##FILTER=<ID={name},Description="As in the source">\n' for name in filters),
            *(
                f"##contig=<ID={contig},length={length},assembly={build.name}>\n"
                for contig, length in build.contig_lengths.items()
            ),
            *(f"##contig=<ID={contig}>\n" for contig in others),
        ]
    )


def index_vcf(path: Path, last_position: int) -> Path:
    """Index a bgzip VCF: ``.tbi``, or ``.csi`` where a position is past 2^29; the path of the index."""
    csi = last_position >= _TBI_LAST_POSITION
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi)
    return path.with_name(path.name + (".csi" if csi else ".tbi"))
