"""Variant ids and types as Spark columns."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as f

from allofus_spark.genome.variant_ids import DIGEST_LENGTH, MAX_ALLELE_LENGTH


def variant_id_expr(contig: Column, position: Column, ref: Column, alt: Column) -> Column:
    """Variant id of a normalised allele, a string: contig-position-ref-alt, without `chr`, M written MT.

    Equal to `allofus_spark.genome.variant_ids.variant_id`, long alleles included; null if any part is null.

    Parameters
    ----------
    contig
        Canonical contig, string.
    position
        1-based position, integer.
    ref, alt
        Alleles, strings.
    """
    short = f.regexp_replace(contig, "^chr", "")
    return f.concat(
        f.when(short == "M", f.lit("MT")).otherwise(short),
        f.lit("-"),
        position.cast("string"),
        f.lit("-"),
        _allele_in_id(ref),
        f.lit("-"),
        _allele_in_id(alt),
    )


def _allele_in_id(allele: Column) -> Column:
    length = f.length(allele)
    digest = f.substring(f.sha2(allele, 256), 1, DIGEST_LENGTH)
    shortened = f.concat(length.cast("string"), f.lit(":"), digest)
    return f.when(length > MAX_ALLELE_LENGTH, shortened).otherwise(allele)


def variant_type_expr(ref: Column, alt: Column) -> Column:
    """Kind of a normalised allele, a string; null if an allele is null.

    `snv`: one base for another; `mnv`: as many bases, more than one; `insertion`, `deletion`: bases put in
    or taken out beside one kept base; `complex`: any other change of bases; `breakend`: a join to another
    place, as in `G[chr7:5000000[` or the single `G.`; `symbolic`: any other text, as in `<DEL>`. Wrong on
    alleles that are not trimmed: `CA` to `CT` is called an mnv.

    Parameters
    ----------
    ref, alt
        Alleles, strings, upper case.
    """
    ref_length, alt_length = f.length(ref), f.length(alt)
    is_breakend = alt.contains("[") | alt.contains("]") | alt.rlike(r"^\.[A-Z]|[A-Z]\.$")
    return (
        f.when(ref.isNull() | alt.isNull(), f.lit(None).cast("string"))
        .when(is_breakend, "breakend")
        .when(~alt.rlike("^[A-Z]+$"), "symbolic")
        .when((ref_length == 1) & (alt_length == 1), "snv")
        .when(ref_length == alt_length, "mnv")
        .when((ref_length == 1) & (alt.startswith(ref) | alt.endswith(ref)), "insertion")
        .when((alt_length == 1) & (ref.startswith(alt) | ref.endswith(alt)), "deletion")
        .otherwise("complex")
    )
