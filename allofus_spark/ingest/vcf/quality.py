"""What GQ, DP, AD and FT of one call say about it: the rules of `allofus_spark.ingest.filters` on bytes."""

from __future__ import annotations

import numba

from allofus_spark.ingest.vcf.scan import COMMA, DOT

# Slots of the bounds of a sample's values, and with FT first of the rules; see GenotypeFilters.as_array.
GT_VALUE, GQ_VALUE, DP_VALUE, AD_VALUE, FT_VALUE = range(5)
_FT_RULE, _GQ_RULE, _DP_RULE, _AB_RULE = range(4)
PASSES = -1
_UNKNOWN = -1


@numba.njit(cache=True, nogil=True)
def _whole_number(data, start, end):  # type: ignore[no-untyped-def]
    """A number from 0 on, its fraction cut off; unknown where absent, a dot, or anything else."""
    value = 0
    at = start
    while at < end and 48 <= data[at] <= 57 and value < 1 << 40:
        value = value * 10 + (data[at] - 48)
        at += 1
    if at == start or start < 0:
        return _UNKNOWN
    return value if at == end or data[at] == DOT else _UNKNOWN


@numba.njit(cache=True, nogil=True)
def _balance(data, start, end, alleles):  # type: ignore[no-untyped-def]
    """Least share of all reads that a called ALT has; -1 where AD does not say."""
    total = 0
    depths = (-1, -1)
    allele = 0
    first = start
    if start < 0:
        return -1.0
    for at in range(start, end + 1):
        if at < end and data[at] != COMMA:
            continue
        depth = _whole_number(data, first, at)
        if depth < 0:
            return -1.0
        total += depth
        if allele == alleles[0]:
            depths = (depth, depths[1])
        if allele == alleles[1]:
            depths = (depths[0], depth)
        allele += 1
        first = at + 1
    if total == 0 or depths[0] < 0 or depths[1] < 0:
        return -1.0
    if alleles[0] == 0:
        return depths[1] / total
    if alleles[1] == 0:
        return depths[0] / total
    return min(depths[0], depths[1]) / total


@numba.njit(cache=True, nogil=True)
def _filter_passes(data, start, end):  # type: ignore[no-untyped-def]
    """Whether FT is absent, a dot or PASS."""
    if start < 0 or end == start or (end - start == 1 and data[start] == DOT):
        return True
    return (
        end - start == 4
        and data[start] == 80
        and data[start + 1] == 65
        and data[start + 2] == 83
        and data[start + 3] == 83
    )


@numba.njit(cache=True, nogil=True)
def failed_rule(data, bounds, alleles, copies, rules):  # type: ignore[no-untyped-def]
    """The first rule that a call fails, in the order FT, GQ, DP, AB, or PASSES.

    Parameters
    ----------
    bounds : int64[5, 2]
        Slices of the sample's GT, GQ, DP, AD and FT; they start at -1 where absent.
    alleles, copies
        The called alleles: two, or one of ``alleles[0]``.
    rules : float64[4]
        As of ``GenotypeFilters.as_array``.
    """
    if rules[_FT_RULE] > 0 and not _filter_passes(data, bounds[FT_VALUE, 0], bounds[FT_VALUE, 1]):
        return _FT_RULE
    for rule, value in ((_GQ_RULE, GQ_VALUE), (_DP_RULE, DP_VALUE)):
        limit = rules[rule]
        if limit >= 0 and _whole_number(data, bounds[value, 0], bounds[value, 1]) < limit:
            return rule
    limit = rules[_AB_RULE]
    het = copies == 2 and alleles[0] != alleles[1]
    if limit >= 0 and het and _balance(data, bounds[AD_VALUE, 0], bounds[AD_VALUE, 1], alleles) < limit:
        return _AB_RULE
    return PASSES
