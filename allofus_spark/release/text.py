"""Rows of a product as lines of text: TSV, and VCF without genotypes.

Null is empty in TSV, and a dot in VCF. Numbers are the shortest text that reads back as the same number.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import string_buffers
from allofus_spark.genome import Build
from allofus_spark.published import ALL
from allofus_spark.vcf_files import meta_lines

# INFO keys of each group, by field of the product.
_OF_GROUP = {"ac": "AC", "an": "AN", "af": "AF", "faf95": "FAF95", "n_hom": "nhomalt"}
_MEANINGS = {
    "ac": ("A", "Integer", "Allele count of {}; a dot: withheld"),
    "an": ("1", "Integer", "Alleles called of {}; a dot: the group is too small to show"),
    "af": ("A", "Float", "Allele frequency of {}; a dot: withheld, or no call"),
    "faf95": ("A", "Float", "Lower 95 % bound of the allele frequency of {}; a dot likewise"),
    "n_hom": ("A", "Integer", "Homozygotes of {}; a dot: withheld"),
}
_ABOUT = {
    "novelty": ("NOVELTY", "Whether catalogues have the allele"),
    "gene_symbol": ("GENE", "Gene of the most severe consequence"),
    "consequence": ("CONSEQUENCE", "Most severe Sequence Ontology term"),
    "impact": ("IMPACT", "Its impact"),
}
_VCF = "4.3"
# Characters with a meaning, as section 1.2 of The Variant Call Format Specification, VCFv4.3, writes them
# (samtools/hts-specs, VCFv4.3.tex); % comes first, which the others bring in.
_ESCAPED = {
    "%": "%25", ":": "%3A", ";": "%3B", "=": "%3D", ",": "%2C", "\r": "%0D", "\n": "%0A", "\t": "%09"
}  # fmt: skip


def tsv_head(schema: pa.Schema) -> str:
    """The line of column names."""
    return "\t".join(schema.names) + "\n"


def tsv_lines(batch: pa.RecordBatch) -> memoryview:
    """Rows as tab-separated lines; arrays are joined by commas, line breaks and tabs become blanks."""
    cells = [_text(column) for column in batch.columns]
    clean = [pc.replace_substring_regex(cell, r"[\t\r\n]", " ").fill_null("") for cell in cells]
    return _lines(clean)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        return pc.binary_join(column.cast(pa.list_(pa.string())), ",")
    return column.cast(pa.string())


def _lines(cells: Sequence[pa.Array]) -> memoryview:
    lines = pc.binary_join_element_wise(*cells, "\t")
    offsets, data = string_buffers(pc.binary_join_element_wise(lines, "", "\n"))
    return data[offsets[0] : offsets[-1]].data


def vcf_head(build: Build, contigs: Sequence[str], groups: Sequence[str]) -> str:
    """Meta lines and the line of column names."""
    lines = []
    for group in (ALL, *groups):
        of = "everybody" if group == ALL else f"ancestry group {group}"
        for name, key in _OF_GROUP.items():
            number, kind, text = _MEANINGS[name]
            described = text.format(of)
            lines.append(
                f'##INFO=<ID={_key(key, group)},Number={number},Type={kind},Description="{described}">\n'
            )
    for key, text in _ABOUT.values():
        lines.append(f'##INFO=<ID={key},Number=1,Type=String,Description="{text}">\n')
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    return meta_lines(build, contigs, version=_VCF) + "".join(lines) + columns


def vcf_lines(batch: pa.RecordBatch, groups: Sequence[str]) -> memoryview:
    """Rows of ``variants`` as records: withheld is a dot, what does not apply is left out."""
    info = []
    for group in (ALL, *groups):
        for name, key in _OF_GROUP.items():
            value = batch.column(f"{group}_{name}").cast(pa.string()).fill_null(".")
            info.append(_named(_key(key, group), value))
    for name, (key, _) in _ABOUT.items():
        info.append(_named(key, _escaped(batch.column(name))))
    rsids = pc.binary_join(batch.column("rsids"), ";")
    ids = pc.if_else(pc.equal(rsids, ""), ".", rsids)
    dot = pa.array(["."] * batch.num_rows, pa.string())
    place = [batch.column("contig"), batch.column("position").cast(pa.string()), ids]
    joined = pc.binary_join_element_wise(*info, ";", null_handling="skip")
    return _lines([*place, batch.column("ref"), batch.column("alt"), dot, dot, joined])


def _key(key: str, group: str) -> str:
    return key if group == ALL else f"{key}_{group}"


def _named(key: str, values: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar(key), values, "=")


def _escaped(values: pa.Array) -> pa.Array:
    for character, written in _ESCAPED.items():
        values = pc.replace_substring(values, character, written)
    return values
