"""PLINK 2's ``.pgen`` of fixed-width hard calls, and PLINK 1's ``.bed``: the packed rows behind a header.

Sources: the PLINK 2 file format specification (Chang, storage mode 0x02); PLINK 1.9 file format reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from allofus_spark.cohort import XX, XY
from allofus_spark.errors import BadSamples, shown
from allofus_spark.export.format import Format, Summary
from allofus_spark.export.variants import Variants, as_lines, fixed_fields, id_texts
from allofus_spark.genotypes import BED_HEADER, bed_from_packed, pgen_header
from allofus_spark.vcf_files import meta_lines

_MAX_ID_BYTES = 80  # PLINK 2's limit
_SEX_CODES = {XX: "2", XY: "1"}


class _Plink(Format):
    def check(self) -> None:
        """Raise BadSamples for ids that PLINK cannot read: with white space, ``0``, or over 80 bytes."""
        odd = [name for name in self.people.ids if name.split() != [name] or name == "0"]
        odd += [name for name in self.people.ids if len(name.encode()) > _MAX_ID_BYTES]
        if odd:
            raise BadSamples(
                f"PLINK reads no sample ids with white space in them, none over {_MAX_ID_BYTES} bytes and "
                f"none that is 0; {len(odd)} of {len(self.people.ids)} are such: {shown(odd)}. Export vcf or "
                "mt, or leave them out with --samples"
            )


class Pgen(_Plink):
    """``.pgen``, ``.pvar`` and ``.psam``."""

    endings = (".pvar", ".pgen")

    def pieces(self, variants: Variants) -> Iterator[tuple[str, bytes | memoryview]]:
        yield ".pvar", as_lines(fixed_fields(variants))
        yield ".pgen", np.ascontiguousarray(variants.packed).data

    def heads(self, summary: Summary) -> Mapping[str, bytes]:
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\n"
        return {
            ".pvar": (meta_lines(self.build, summary.contigs, summary.filters) + columns).encode(),
            ".pgen": pgen_header(summary.n_variants, len(self.people.ids)),
        }

    def companions(self) -> Mapping[str, bytes]:
        people = zip(self.people.ids, self.people.sex_classes, strict=True)
        lines = [f"{name}\t{_SEX_CODES.get(sex, 'NA')}\n" for name, sex in people]
        return {".psam": "".join(["#IID\tSEX\n", *lines]).encode()}


class Bed(_Plink):
    """``.bed``, ``.bim`` and ``.fam``; A1 is the alternate allele, A2 the reference."""

    endings = (".bim", ".bed")

    def pieces(self, variants: Variants) -> Iterator[tuple[str, bytes | memoryview]]:
        rows = len(variants.packed)
        contig = pa.array(np.full(rows, variants.contig))
        centimorgans = pa.array(np.full(rows, "0"))
        position = variants.column("position").cast(pa.string())
        alleles = [variants.column("alt"), variants.column("ref")]
        yield ".bim", as_lines([contig, id_texts(variants), centimorgans, position, *alleles])
        yield ".bed", bed_from_packed(variants.packed, len(self.people.ids)).data

    def heads(self, summary: Summary) -> Mapping[str, bytes]:  # noqa: ARG002 - nothing of it is in them
        return {".bim": b"", ".bed": BED_HEADER}

    def companions(self) -> Mapping[str, bytes]:
        people = zip(self.people.ids, self.people.sex_classes, strict=True)
        lines = [f"0\t{name}\t0\t0\t{_SEX_CODES.get(sex, '0')}\t-9\n" for name, sex in people]
        return {".fam": "".join(lines).encode()}
