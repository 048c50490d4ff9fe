"""Rows of a MatrixTable or VariantDataset with their calls packed by Hail: 32 calls a 64-bit word.

An array with an element for each sample takes minutes to leave Hail; words of 32 calls take seconds. They are
made by Horner's rule from the last call of a word to the first, which Hail compiles to a few instructions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hail as hl
from hail.utils.java import FatalError, HailUserError
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from allofus_spark.errors import BadSamples, BadSource, BuildMismatch, shown
from allofus_spark.genome import Build
from allofus_spark.hail_bridge import start_hail
from allofus_spark.ingest.filters import HIGH_QUALITY, GenotypeFilters
from allofus_spark.ingest.hail_source import MATRIX_TABLE, HailInput
from allofus_spark.ingest.source import IngestJob
from allofus_spark.ingest.vcf.calls import FIRST_FILTER

CALLS_A_WORD = 32
_MISSING, _PASSES = 3, -1
_MANY_READS = 1 << 30
_QUAL_UNKNOWN = -10.0  # what Hail's VCF reader makes of a dot

Expression = Any


def open_hail(spark: SparkSession, path: str, kind: str, build: Build) -> HailInput:
    """Look at what a MatrixTable or VDS holds; raises BadSource, BadSamples or BuildMismatch naming it."""
    start_hail(spark, build.name)
    with _hail_errors(path):
        matrix = _read(path, kind)
        _check_rows(matrix, path, build)
        _check_types(matrix, path)
        samples = _samples(matrix, path)
        given = _given(matrix, path, kind)
    if "END" in given:
        raise BadSource(
            f"{path}: a sparse MatrixTable, with reference blocks among its calls; convert it: "
            "hl.vds.VariantDataset.from_merged_representation(mt).write('cohort.vds')"
        )
    if "GT" not in given and not {"LGT", "LA"} <= given:
        raise BadSource(
            f"{path}: its entries have neither GT, nor LGT with LA; they have: {', '.join(matrix.entry)}"
        )
    fields: list[str] = [name for name in ("GQ", "DP", "FT") if name in given]
    if "AD" in given or {"LAD", "LGT"} <= given:
        fields.append("AD")
    return HailInput(path, kind, samples, tuple(fields))


def _check_types(matrix: hl.MatrixTable, path: str) -> None:
    """Raise BadSource naming fields of other types than are read."""
    numbers = (hl.tint32, hl.tint64, hl.tfloat32, hl.tfloat64)
    texts = (hl.tstr, hl.tset(hl.tstr), hl.tarray(hl.tstr))
    depths = (hl.tarray(hl.tint32), hl.tarray(hl.tint64))
    wanted = {
        **dict.fromkeys(("GT", "LGT"), (hl.tcall,)),
        **dict.fromkeys(("GQ", "DP", "qual"), numbers),
        **dict.fromkeys(("AD", "LAD"), depths),
        "LA": (hl.tarray(hl.tint32),),
        "FT": (hl.tbool, hl.tstr),
        "rsid": texts,
        "filters": texts[1:],
    }
    given = {**{name: matrix[name].dtype for name in matrix.row if name in ("rsid", "qual", "filters")}}
    given |= {name: matrix[name].dtype for name in matrix.entry if name in wanted}
    odd = [
        f"{name} is {kind}, not {' or '.join(map(str, wanted[name]))}"
        for name, kind in given.items()
        if kind not in wanted[name]
    ]
    if odd:
        raise BadSource(f"{path}: fields of types that are not read: {'; '.join(odd)}. Convert or drop them")


def write_packed_rows(data: HailInput, job: IngestJob, folder: str) -> None:
    """Write Parquet, a file a partition in order; raises BadSource where Hail finds the input damaged."""
    with _hail_errors(data.path, f"Hail failed while it packed its calls into {folder}"):
        # Snappy: the files live for seconds, and packing them would be most of what they cost.
        _packed_rows(data, job).write.option("compression", "snappy").parquet(folder)


def _packed_rows(data: HailInput, job: IngestJob) -> DataFrame:
    """One row a site: contig, position, id, ref, alts, qual, filter, and its packed calls.

    ``words`` are those of each alternate after the other, none where there are more than ``job.max_alts``;
    ``haploid`` has 1 for calls of one copy, and is empty where there are none; ``tallies`` are calls set to
    missing, as of CALLS_MISSING; ``high_quality`` counts calls by the rules of HIGH_QUALITY.
    """
    matrix = _read(data.path, data.kind)
    matrix = matrix.select_entries(**_entry(matrix, data, job.filters))
    matrix = matrix.select_rows(*(name for name in ("rsid", "qual", "filters") if name in matrix.row))
    rows = matrix.localize_entries("calls", "people").select_globals().key_by()
    packed: DataFrame = rows.select(**_site(rows), **_packed(rows, len(data.samples), job)).to_spark()
    return packed


def _read(path: str, kind: str) -> hl.MatrixTable:
    if kind == MATRIX_TABLE:
        return hl.read_matrix_table(path)
    data = hl.vds.read_vds(path)
    if hl.vds.VariantDataset.ref_block_max_length_field in data.reference_data.globals:
        return hl.vds.read_dense_mt(path)
    return hl.vds.to_dense_mt(data)


@contextmanager
def _hail_errors(path: str, problem: str = "Hail cannot read it") -> Iterator[None]:
    """Turn what Hail and Spark raise about a path into BadSource with the reason."""
    try:
        yield
    except (FatalError, HailUserError, Py4JError, PySparkException, ValueError, LookupError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        causes = [line for line in lines if line.startswith("Caused by:")]
        reason = (causes or lines or [type(error).__name__])[-1 if causes else 0]
        raise BadSource(f"{path}: {problem}: {reason}") from None


def _given(matrix: hl.MatrixTable, path: str, kind: str) -> set[str]:
    """Entry fields that every call has; reference blocks of a VDS have fewer than its variants."""
    given = set(matrix.entry)
    if kind == MATRIX_TABLE:
        return given
    blocks = set(hl.vds.read_vds(path).reference_data.entry)
    return given - ({"GQ", "DP"} - blocks)


def _check_rows(matrix: hl.MatrixTable, path: str, build: Build) -> None:
    key = matrix.row_key.dtype
    if list(key) != ["locus", "alleles"] or not isinstance(key["locus"], hl.tlocus):
        raise BadSource(f"{path}: its rows are keyed by {key}, not by locus and alleles")
    found = key["locus"].reference_genome.name
    if found != build.name:
        raise BuildMismatch(f"{path}: is of build {found}, but {build.name} was given")


def _samples(matrix: hl.MatrixTable, path: str) -> tuple[str, ...]:
    if list(matrix.col_key.dtype.values()) != [hl.tstr]:
        raise BadSamples(f"{path}: its columns are keyed by {matrix.col_key.dtype}, not by one sample id")
    (name,) = matrix.col_key.dtype
    samples = tuple(matrix[name].collect())
    if None in samples:
        raise BadSamples(f"{path}: column {samples.index(None) + 1} has no sample id")
    repeated = sorted(sample for sample, count in Counter(samples).items() if count > 1)
    if repeated:
        raise BadSamples(f"{path}: {len(repeated)} sample ids stand more than once: {shown(repeated)}")
    return samples


def _entry(matrix: hl.MatrixTable, data: HailInput, filters: GenotypeFilters) -> dict[str, Expression]:
    """``call`` (GT by the record's alleles, filters not applied), ``failed`` and ``failed_high_quality``.

    These are the first rule in FT, GQ, DP, AB that a called genotype fails, or -1; absent where nothing asks.
    """
    entry = matrix.entry
    call = entry.GT if "GT" in entry else hl.vds.lgt_to_gt(entry.LGT, entry.LA)
    fields = {"call": call}
    if filters.rules:
        fields["failed"] = _first_failed(entry, call, filters)
    if data.counts_high_quality:
        fields["graded"] = _first_failed(entry, call, HIGH_QUALITY)
    return fields


def _first_failed(entry: Expression, call: Expression, filters: GenotypeFilters) -> Expression:
    """Number of the first rule that a call fails, or -1; a value that is absent fails, FT absent passes."""
    rules = hl.case()
    if filters.ft and "FT" in entry:
        passes = entry.FT if entry.FT.dtype == hl.tbool else (entry.FT == "PASS") | (entry.FT == ".")
        rules = rules.when(~hl.or_else(passes, True), 0)
    for number, limit, name in ((1, filters.min_gq, "GQ"), (2, filters.min_dp, "DP")):
        if limit is not None:
            rules = rules.when(~hl.or_else(entry[name] >= limit, False), number)
    if filters.min_ab is not None:
        # Depths are in the order of the record's alleles, or of those that the call has.
        depths, places = (entry.AD, call) if "AD" in entry else (entry.LAD, entry.LGT)
        rules = rules.when(_is_unbalanced(call, places, depths, filters.min_ab), 3)
    return rules.default(_PASSES)


def _is_unbalanced(call: Expression, places: Expression, depths: Expression, min_ab: float) -> Expression:
    """Whether a called ALT of a het has less than its share of reads, or the depths do not say.

    ``places`` is the call by the places of its alleles in ``depths``. Nested, as an index that is out of
    bounds ends Hail's job.
    """
    least = hl.min(*(hl.if_else(places[copy] > 0, depths[places[copy]], _MANY_READS) for copy in (0, 1)))
    total = hl.sum(depths)
    says = (hl.len(depths) > hl.max(places[0], places[1])) & hl.all(hl.is_defined, depths)
    low = hl.if_else(says, hl.if_else(total > 0, least / total < min_ab, True), True)
    het = hl.if_else(call[0] != call[1], hl.or_else(low, True), False)
    return hl.if_else(call.ploidy == 2, het, False)


def _site(rows: hl.Table) -> dict[str, Expression]:
    """The fixed columns, texts but for position and QUAL."""
    absent = hl.str(".")
    identifier = absent
    if "rsid" in rows.row:
        ids = rows.rsid if rows.rsid.dtype == hl.tstr else hl.delimit(hl.sorted(hl.array(rows.rsid)), ";")
        # White space would end the ID's column in a VCF.
        identifier = hl.or_else(ids.replace(r"\s", "_"), absent)
    qual = hl.missing(hl.tfloat64)
    if "qual" in rows.row:
        qual = hl.or_missing(rows.qual != _QUAL_UNKNOWN, hl.float64(rows.qual))
    filters = absent
    if "filters" in rows.row:
        names = hl.delimit(hl.sorted(hl.array(rows.filters)), ";")
        filters = hl.or_else(hl.if_else(hl.len(rows.filters) == 0, "PASS", names), absent)
    return {
        "contig": rows.locus.contig,
        "position": rows.locus.position,
        "id": hl.if_else(identifier == "", absent, identifier),
        "ref": rows.alleles[0],
        "alts": rows.alleles[1:],
        "qual": qual,
        "filter": filters,
    }


def _packed(rows: hl.Table, n_samples: int, job: IngestJob) -> dict[str, Expression]:
    calls = rows.calls
    filtered = bool(job.filters.rules)

    def copies(sample: Expression, alt: Expression) -> Expression:
        call = calls[sample].call
        if filtered:
            call = hl.or_missing(calls[sample].failed == _PASSES, call)
        of_two = hl.int64(call[0] == alt) + hl.int64(call[1] == alt)
        of_one = hl.if_else(call.ploidy == 1, 2 * hl.int64(call[0] == alt), hl.int64(_MISSING))
        return hl.or_else(hl.if_else(call.ploidy == 2, of_two, of_one), hl.int64(_MISSING))

    def is_haploid(sample: Expression) -> Expression:
        return hl.or_else(hl.int64(calls[sample].call.ploidy == 1), hl.int64(0))

    n_alts = hl.len(rows.alleles) - 1
    alts = hl.if_else(n_alts > job.max_alts, hl.empty_array(hl.tint32), hl.range(1, n_alts + 1))
    some_haploid = hl.or_else(hl.any(lambda item: item.call.ploidy == 1, calls), False)

    def count_first_failed(rule: int) -> Expression:
        if not filtered:
            return hl.int32(0)
        return hl.int32(hl.len(calls.filter(lambda item: hl.is_defined(item.call) & (item.failed == rule))))

    high_quality = hl.int32(-1)
    if "graded" in calls.dtype.element_type:
        high = calls.filter(lambda item: hl.is_defined(item.call) & (item.graded == _PASSES))
        high_quality = hl.int32(hl.len(high))
    return {
        "words": alts.flatmap(lambda alt: _words(n_samples, lambda sample: copies(sample, alt))),
        "haploid": hl.if_else(some_haploid, _words(n_samples, is_haploid), hl.empty_array(hl.tint64)),
        # Half calls and calls of over two alleles are missing in Hail; haploid ones are judged later.
        "tallies": hl.array([hl.int32(0)] * FIRST_FILTER + [count_first_failed(rule) for rule in range(4)]),
        "high_quality": high_quality,
    }


def _words(n_samples: int, code: Any) -> Expression:
    """array<int64> of two bits a sample, the first in the low bits."""

    def word(first: Expression) -> Expression:
        last = hl.min(first + CALLS_A_WORD, n_samples) - 1
        return hl.range(last, first - 1, -1).fold(
            lambda so_far, sample: so_far * 4 + code(sample), hl.int64(0)
        )

    return hl.range(0, n_samples, CALLS_A_WORD).map(word)
