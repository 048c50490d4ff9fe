"""One buffer of record lines to alleles with their IDs; calls, where there are any, are not looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.ingest.vcf import staging
from allofus_spark.ingest.vcf.alternates import EXPLICIT, SYMBOLIC, split_alternates
from allofus_spark.ingest.vcf.parse import normalised, rejected_batch
from allofus_spark.ingest.vcf.records import Lines, ParseContext, read_records
from allofus_spark.ingest.vcf.scan import ID, Reason


def parse_sites(chunk: Lines, context: ParseContext, ledger: Counter[str]) -> Iterator[pa.RecordBatch]:
    """Staged rows of a buffer: a row each normalised allele of bases, then the refused records.

    Symbolic alleles and breakends are counted and left out: there is no normal form to compare them by. Adds
    to ``ledger`` what was read, kept and refused; raises as ``parse_chunk``.
    """
    records = read_records(chunk, context, ledger)
    n_records = len(records.reason)
    if not n_records:
        return
    first, slices, kinds = split_alternates(records.data, records.fields, records.numbers, records.reason)
    record = np.repeat(np.arange(n_records), np.diff(first))
    kept = np.flatnonzero(kinds == EXPLICIT)
    understood = records.reason == Reason.NONE
    has_allele = np.bincount(record[kept], minlength=n_records) > 0
    ledger["records_kept"] += int(has_allele.sum())
    ledger["records_without_alt"] += int((understood & ~has_allele).sum())
    ledger["alleles_read"] += len(kept)
    ledger["alleles_not_comparable"] += int((kinds == SYMBOLIC).sum())
    if len(kept):
        own = records.take(record[kept])
        position, ref, alt = normalised(own, slices[kept], kinds[kept], context)
        ids = own.text(ID)
        columns = {
            "row_kind": pa.repeat(staging.SITE, len(kept)),
            "contig": pa.array(own.contigs, pa.string()),
            "position": pa.array(position.astype(np.int32)),
            "ref": ref,
            "alt": alt,
            "input_id": pc.if_else(pc.equal(ids, "."), pa.scalar(None, pa.string()), ids),
        }
        yield staging.staged_batch(columns, len(kept))
    refused = np.flatnonzero(~understood)
    if len(refused):
        yield rejected_batch(records.take(refused), context, ledger)
