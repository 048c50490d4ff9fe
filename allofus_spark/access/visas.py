"""One visa: a signed statement about a person by an issuer that is trusted to make it.

Only visa document tokens count, whose keys are pinned with the ``jku`` that they carry; a visa that is an
access token would have to be asked about at its issuer. Sources: GA4GH Passport 1.2, "Visa Format" and "Visa
Object Claims"; AAI OpenID Connect Profile 1.2, "Visa issued by Visa Issuer".
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from allofus_spark.access.identities import Identity, identity_of
from allofus_spark.access.reasons import Reason, Refused
from allofus_spark.access.tokens import Token, check_times, is_time, verify_token
from allofus_spark.access.trust import Trust
from allofus_spark.errors import readable
from allofus_spark.settings import AccessSettings, VisaType

CLAIM = "ga4gh_visa_v1"
TYPES: tuple[str, ...] = get_args(VisaType)
# "MUST include the by claim": GA4GH Passport 1.2, AcceptedTermsAndPolicies and ControlledAccessGrants.
_NEED_BY = ("AcceptedTermsAndPolicies", "ControlledAccessGrants")
_AUTHORITIES = ("self", "peer", "system", "so", "dac")
_URL_VALUES = ("AcceptedTermsAndPolicies", "ResearcherStatus", "ControlledAccessGrants")
_MOST_URL_CHARACTERS = 255
_SECONDS_PER_DAY = 86_400
_ACCESS_TOKEN = "at+jwt"
_TOKEN_TYPES = ("", "jwt", "vnd.ga4gh.visa+jwt", _ACCESS_TOKEN)


@dataclass(frozen=True)
class Visa:
    """A visa that is genuine and in force; whose it is, and its conditions, are not judged yet."""

    says: Mapping[str, Any]
    identity: Identity
    issuer: str
    token_id: str | None

    @property
    def type(self) -> str:
        return str(self.says["type"])

    @property
    def value(self) -> str:
        return str(self.says["value"])


@dataclass(frozen=True)
class RefusedVisa:
    """A visa that does not count; ``type`` and ``value`` are what it claims, empty where unreadable."""

    type: str
    value: str
    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.type or 'visa'}: {self.reason.value}"


def verify_visa(text: str, trust: Trust, settings: AccessSettings, now: float) -> Visa:
    """The visa of a token, at ``now`` (seconds since 1970, UTC); raises Refused."""
    token = verify_token(text, trust, types=_TOKEN_TYPES)
    _check_format(token)
    check_times(token.claims, now=now, leeway=settings.leeway_seconds)
    says = token.claims.get(CLAIM)
    if not isinstance(says, dict):
        raise Refused(Reason.VISA_MALFORMED, f"{CLAIM} is not an object")
    _check_object(says)
    if says["type"] not in token.issuer.issues:
        raise Refused(Reason.ISSUER_MAY_NOT, f"{token.issuer.url} is not trusted to issue {says['type']}")
    if token.issuer.sources and says["source"] not in token.issuer.sources:
        raise Refused(Reason.SOURCE_NOT_ACCEPTED, f"source is {readable(says['source'])}")
    _check_asserted(says["asserted"], settings, now)
    _check_by(says, settings)
    token_id = token.claims.get("jti")
    return Visa(
        says,
        identity_of(token.issuer.url, token.subject, trust.issuers),
        token.issuer.url,
        token_id if isinstance(token_id, str) else None,
    )


def _check_format(token: Token) -> None:
    """Raise Refused unless the token is a visa document, with the ``jku`` that its issuer is pinned with."""
    kind, scope = token.header.get("typ", ""), token.claims.get("scope")
    if kind.lower().endswith(_ACCESS_TOKEN) or (isinstance(scope, str) and "openid" in scope.split()):
        raise Refused(Reason.VISA_IS_ACCESS_TOKEN, "visas as access tokens are not taken; ask for documents")
    if "jku" not in token.header:
        raise Refused(Reason.JKU_MISSING, "a visa document carries the jku of its keys")
    if token.header["jku"] != token.issuer.jku:
        raise Refused(Reason.JKU_NOT_PINNED, f"jku is not that of {token.issuer.url} in access.issuers")
    if "aud" in token.claims:
        raise Refused(Reason.AUDIENCE_WRONG, "a visa is made out to no service: it must have no aud")


def _check_object(says: Mapping[str, Any]) -> None:
    if odd := [name for name in ("type", "value", "source") if not isinstance(says.get(name), str)]:
        raise Refused(Reason.VISA_MALFORMED, f"{', '.join(odd)} must be text")
    if says["type"] not in TYPES:
        raise Refused(Reason.VISA_TYPE_UNKNOWN, f"type is {readable(says['type'])}")
    urls = ["source", *(["value"] if says["type"] in _URL_VALUES else [])]
    if long := [name for name in urls if not 0 < len(says[name]) <= _MOST_URL_CHARACTERS]:
        raise Refused(
            Reason.VISA_MALFORMED, f"{', '.join(long)} must be 1 to {_MOST_URL_CHARACTERS} characters"
        )
    if not is_time(says.get("asserted")):
        raise Refused(Reason.VISA_MALFORMED, "asserted is not a number of seconds since 1970")


def _check_asserted(asserted: float, settings: AccessSettings, now: float) -> None:
    if asserted > now + settings.leeway_seconds:
        raise Refused(Reason.ASSERTED_IN_FUTURE, f"asserted is {asserted - now:,.0f} s ahead")
    days = (now - asserted) / _SECONDS_PER_DAY
    if days > settings.max_assertion_days:
        raise Refused(
            Reason.ASSERTED_TOO_LONG_AGO,
            f"asserted {days:,.0f} days ago; access.max_assertion_days is {settings.max_assertion_days}",
        )


def _check_by(says: Mapping[str, Any], settings: AccessSettings) -> None:
    by = says.get("by")
    if by is None and says["type"] in _NEED_BY:
        raise Refused(Reason.BY_MISSING, f"a visa of type {says['type']} must have by")
    if by is not None and by not in _AUTHORITIES:
        raise Refused(Reason.BY_NOT_ACCEPTED, f"by must be of {', '.join(_AUTHORITIES)}")
    if says["type"] == "ControlledAccessGrants" and by not in settings.granted_by:
        raise Refused(
            Reason.BY_NOT_ACCEPTED, f"by is {by}; access.granted_by takes {', '.join(settings.granted_by)}"
        )


def claimed(text: str) -> tuple[str, str]:
    """Type and value that a token claims, to say why it does not count; nobody vouches for them."""
    try:
        part = text.split(".")[1]
        says = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))[CLAIM]
        kind, value = says["type"], says["value"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "", ""
    return (kind, value) if kind in TYPES and isinstance(value, str) else ("", "")
