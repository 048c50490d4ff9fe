"""Signed tokens (JWS in compact form) held against pinned keys; the same for passports and visas.

Sources: RFC 7515, RFC 7519, RFC 8725 (what to be careful of); GA4GH AAI OpenID Connect Profile 1.2.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from allofus_spark.access.reasons import Reason, Refused
from allofus_spark.access.trust import Trust
from allofus_spark.errors import readable
from allofus_spark.settings import Issuer

ALGORITHMS = ("ES256", "RS256")
# Strict: libraries let odd characters and padding by, so that two texts would be one token.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_MEDIA_PREFIX = "application/"
_jws = PyJWS(algorithms=list(ALGORITHMS))


@dataclass(frozen=True)
class Token:
    """A token whose signature is that of its issuer's key."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    issuer: Issuer

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])


def verify_token(text: str, trust: Trust, *, types: Collection[str]) -> Token:
    """The token of ``text``, signed by a trusted issuer, with the claims that every token has.

    ``types`` are those that its header's ``typ`` may be, in lower case; "" among them: it may be absent.
    Times are not looked at: see `check_times`. Raises Refused.
    """
    header, claims = _parts(text)
    _check_header(header, types)
    issuer = trust.issuers.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
    if issuer is None:
        raise Refused(Reason.ISSUER_NOT_TRUSTED, f"iss is {_shown(claims.get('iss'))}")
    kid = header.get("kid")
    key = trust.keys[issuer.url].get(kid) if isinstance(kid, str) else None
    if key is None:
        raise Refused(Reason.KEY_UNKNOWN, f"kid {_shown(kid)} is none of {issuer.url}")
    if key.algorithm != header["alg"]:
        raise Refused(Reason.KEY_UNFIT, f"the key {_shown(kid)} is for {key.algorithm}, not {header['alg']}")
    try:
        _jws.decode_complete(text, key.key, algorithms=[key.algorithm])
    except PyJWTError as error:
        raise Refused(
            Reason.SIGNATURE_WRONG, f"not signed by the key {_shown(kid)} of {issuer.url}"
        ) from error
    _check_claims(claims)
    return Token(header, claims, issuer)


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, which nobody vouches for yet."""
    if not _COMPACT.fullmatch(text):
        raise Refused(
            Reason.TOKEN_MALFORMED, "not three parts of base64url with dots between, as a signed token has"
        )
    header, claims, _ = text.split(".")
    return _object(header, "header"), _object(claims, "claims")


def _object(part: str, name: str) -> dict[str, Any]:
    try:
        content = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        found = json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(Reason.TOKEN_MALFORMED, f"the {name} are not JSON in base64url") from error
    if not isinstance(found, dict):
        raise Refused(Reason.TOKEN_MALFORMED, f"the {name} are no JSON object")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _check_header(header: Mapping[str, Any], types: Collection[str]) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise Refused(
            Reason.ALGORITHM_NOT_ALLOWED, f"alg is {_shown(header.get('alg'))}, not {' or '.join(ALGORITHMS)}"
        )
    # RFC 7515, 4.1.11: who does not know an extension that is marked critical must refuse; none is known.
    if odd := sorted({"crit", "b64", "zip", "cty"} & header.keys()):
        raise Refused(Reason.HEADER_NOT_SUPPORTED, f"the header has {', '.join(odd)}")
    kind = header.get("typ", "")
    kind = kind.lower().removeprefix(_MEDIA_PREFIX) if isinstance(kind, str) else None
    if kind not in types:
        raise Refused(Reason.TOKEN_TYPE_WRONG, f"typ is {_shown(header.get('typ'))}")


def _check_claims(claims: Mapping[str, Any]) -> None:
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise Refused(Reason.CLAIM_MISSING, "sub is not a text")
    for name in ("iat", "exp"):
        if not is_time(claims.get(name)):
            raise Refused(Reason.CLAIM_MISSING, f"{name} is not a number of seconds since 1970")


def check_times(claims: Mapping[str, Any], *, now: float, leeway: float) -> None:
    """Raise Refused unless a token is valid at ``now`` (seconds since 1970, UTC), give or take ``leeway``."""
    if now >= claims["exp"] + leeway:
        raise Refused(Reason.EXPIRED, f"exp was {now - claims['exp']:,.0f} s ago")
    if claims["iat"] > now + leeway:
        raise Refused(Reason.ISSUED_IN_FUTURE, f"iat is {claims['iat'] - now:,.0f} s ahead")
    if "nbf" in claims and not (is_time(claims["nbf"]) and claims["nbf"] <= now + leeway):
        raise Refused(Reason.NOT_YET_VALID, "nbf has not come")


def is_time(value: object) -> bool:
    """Whether a claim is a NumericDate of RFC 7519, of years that a clock can show."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and 0 <= value < 1e11 if isinstance(value, float) else 0 <= value < 10**11


def _shown(value: object) -> str:
    return readable(value) if isinstance(value, str) else "absent" if value is None else "not a text"
