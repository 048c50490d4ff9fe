"""Where to look: rs numbers and genes of invented variants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from allofus_spark.tables.contract import Table
from benchmarks.synthetic.alleles import TERMS, Contig
from benchmarks.synthetic.shape import as_table, from_rows

_CODING = [
    number for number, term in enumerate(TERMS) if term not in ("intron_variant", "3_prime_UTR_variant")
]


def rsids_of(table: Table, contigs: Sequence[Contig]) -> pa.Table:
    """The product rsids."""
    parts = []
    for contig in contigs:
        has = contig.rs_number > 0
        columns = {name: values[has] for name, values in contig.allele().items()}
        parts.append(as_table(table, columns | {"rs_number": contig.rs_number[has]}))
    return pa.concat_tables(parts).sort_by("rs_number")


def genes_of(table: Table, contigs: Sequence[Contig]) -> pa.Table:
    """The product genes."""
    rows = []
    for contig in contigs:
        genes, first, counts = np.unique(contig.gene, return_index=True, return_counts=True)
        is_coding = np.isin(contig.term, _CODING)
        names, ids = contig.gene_names(), contig.gene_ids()
        for gene, start, n in zip(genes.tolist(), first.tolist(), counts.tolist(), strict=True):
            if gene < 0:
                continue
            here = slice(start, start + n)
            rows.append(
                {
                    "gene_symbol": names[start].as_py(),
                    "gene_id": ids[start].as_py(),
                    "contig": contig.name,
                    "first_position": int(contig.position[start]),
                    "last_position": int(contig.position[start + n - 1]),
                    "n_variants": n,
                    "n_coding": int(is_coding[here].sum()),
                }
            )
    return from_rows(table, rows)
