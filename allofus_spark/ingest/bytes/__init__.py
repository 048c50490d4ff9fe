"""From the bytes of a VCF file to whole lines: kinds, splits, BGZF blocks, and proof that nothing was lost.

Spark's own readers accept a bgzip file that was cut at a block, a block with a wrong checksum and a missing
end-of-file block without a word. Here each task reads its byte range itself, checks every block, and reports
what it read; the reports of a file must add up to its size. Plain functions on file objects, without Spark:

1. `sniff_kind` tells bgzip, gzip and text apart; `read_header_lines` reads the header.
2. `plan_splits` cuts the file into byte ranges.
3. `read_chunks` gives the whole lines of one range in large arrays.
4. `check_reports` refuses the file unless all ranges together read every byte once.
"""

from allofus_spark.ingest.bytes.chunks import LineChunk
from allofus_spark.ingest.bytes.head import read_head, read_header_lines
from allofus_spark.ingest.bytes.kinds import SNIFF_BYTES, Kind, sniff_kind
from allofus_spark.ingest.bytes.lines import SplitReader, read_chunks
from allofus_spark.ingest.bytes.pieces import ByteStream
from allofus_spark.ingest.bytes.splits import Split, SplitReport, check_reports, plan_splits

__all__ = [
    "SNIFF_BYTES",
    "ByteStream",
    "Kind",
    "LineChunk",
    "Split",
    "SplitReader",
    "SplitReport",
    "check_reports",
    "plan_splits",
    "read_chunks",
    "read_head",
    "read_header_lines",
    "sniff_kind",
]
