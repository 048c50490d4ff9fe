"""Numbers as people read them."""

from __future__ import annotations

import math

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN_FROM = 1e-3  # smaller frequencies and p are written with a power of ten
_LONG = 24  # characters of an allele that a table shows


def count(number: float | None) -> str:
    """A whole number with its thousands apart.

    >>> count(1234567)
    '1,234,567'
    """
    return "" if number is None else f"{number:,.0f}"


def decimal(number: float | None, digits: int = 3) -> str:
    """A number to some significant digits, with a real minus sign.

    >>> decimal(-0.02345)
    '−0.0234'
    """
    return "" if number is None else f"{number:.{digits}g}".replace("-", "−")


def percent(share: float | None) -> str:
    """A share as per cent: one decimal under 99.5 %.

    >>> percent(0.1234)
    '12.3 %'
    """
    if share is None:
        return ""
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{100 * share:.1f} %"


def frequency(af: float | None) -> str:
    """An allele frequency, 0 to 1, to 3 significant digits.

    >>> frequency(0.25), frequency(0.0000123), frequency(0.0)
    ('0.25', '1.23 × 10⁻⁵', '0')
    """
    if af is None:
        return ""
    if 0 < af < _PLAIN_FROM:
        exponent = math.floor(math.log10(af))
        return _with_power(af / 10.0**exponent, exponent)
    return f"{af:.3g}"


def p_value(neg_log10_p: float | None) -> str:
    """p of its −log10, however small.

    >>> p_value(2.0), p_value(8.3), p_value(400.0)
    ('0.01', '5.01 × 10⁻⁹', '1.00 × 10⁻⁴⁰⁰')
    """
    if neg_log10_p is None:
        return ""
    if neg_log10_p < -math.log10(_PLAIN_FROM):
        return f"{10.0**-neg_log10_p:.3g}"
    exponent = math.floor(-neg_log10_p)
    return _with_power(10.0 ** (-neg_log10_p - exponent), exponent)


def _with_power(mantissa: float, exponent: int) -> str:
    if round(mantissa, 2) >= 10:
        mantissa, exponent = mantissa / 10, exponent + 1
    return f"{mantissa:.2f} × 10{str(exponent).translate(_SUPERSCRIPT)}"


def shortened(allele: str) -> str:
    """An allele for a table: a long one by its first bases and its length.

    >>> shortened("ACGT" * 10)
    'ACGTACGTACGT… (40)'
    """
    return allele if len(allele) <= _LONG else f"{allele[: _LONG // 2]}… ({len(allele):,})"
