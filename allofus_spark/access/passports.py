"""Passports: who somebody is by a trusted issuer, and the visas that count for them.

A visa that fails is left out, and kept with its reason; the rest may suffice. Source: GA4GH Passport 1.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from allofus_spark.access.conditions import check_conditions
from allofus_spark.access.identities import identity_of, linked_with, read_links
from allofus_spark.access.reasons import Reason, Refused
from allofus_spark.access.tokens import Token, check_times, verify_token
from allofus_spark.access.trust import Trust
from allofus_spark.access.visas import RefusedVisa, Visa, claimed, verify_visa
from allofus_spark.settings import AccessSettings

CLAIM = "ga4gh_passport_v1"
_TOKEN_TYPES = ("vnd.ga4gh.passport+jwt",)
_LINKS = "LinkedIdentities"


@dataclass(frozen=True)
class Passport:
    """A genuine passport, made out to this service and in force, with the visas that count."""

    issuer: str
    subject: str
    token_id: str | None
    visas: Sequence[Visa] = ()
    refused: Sequence[RefusedVisa] = field(default=())


def read_passport(content: bytes, trust: Trust, settings: AccessSettings, now: float) -> Passport:
    """The passport in ``content`` at ``now`` (seconds since 1970, UTC); raises Refused.

    ``content`` may be longer than a passport: what is over ``access.max_passport_bytes`` is refused unread.
    """
    if len(content) > settings.max_passport_bytes:
        raise Refused(Reason.TOKEN_TOO_LARGE, f"more than {settings.max_passport_bytes:,} bytes")
    try:
        text = content.decode("ascii").strip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise Refused(Reason.TOKEN_MALFORMED, "a passport is ASCII text") from error
    token = verify_token(text, trust, types=_TOKEN_TYPES)
    if "passport" not in token.issuer.issues:
        raise Refused(Reason.ISSUER_MAY_NOT, f"{token.issuer.url} is not trusted to issue passports")
    check_times(token.claims, now=now, leeway=settings.leeway_seconds)
    _check_audience(token, settings)
    visas, refused = _verified(_visa_texts(token, settings), trust, settings, now)
    visas, not_theirs = _of_one_person(token, visas, trust)
    visas, unmet = _with_conditions_met(visas)
    token_id = token.claims.get("jti")
    return Passport(
        token.issuer.url,
        token.subject,
        token_id if isinstance(token_id, str) else None,
        visas,
        [*refused, *not_theirs, *unmet],
    )


def _check_audience(token: Token, settings: AccessSettings) -> None:
    audience = token.claims.get("aud")
    names = [audience] if isinstance(audience, str) else audience
    if not isinstance(names, list) or settings.audience is None or settings.audience not in names:
        raise Refused(Reason.AUDIENCE_WRONG, f"aud must hold {settings.audience}, which is access.audience")


def _visa_texts(token: Token, settings: AccessSettings) -> list[str]:
    texts = token.claims.get(CLAIM)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Refused(Reason.CLAIM_MISSING, f"{CLAIM} is no list of visas")
    if len(texts) > settings.max_visas:
        raise Refused(
            Reason.TOO_MANY_VISAS, f"{len(texts):,} visas; access.max_visas is {settings.max_visas}"
        )
    if len(set(texts)) < len(texts):
        raise Refused(Reason.VISA_REPEATED, "one visa is there twice")
    return texts


def _verified(
    texts: Sequence[str], trust: Trust, settings: AccessSettings, now: float
) -> tuple[list[Visa], list[RefusedVisa]]:
    visas, refused = [], []
    for text in texts:
        try:
            visas.append(verify_visa(text, trust, settings, now))
        except Refused as error:
            refused.append(RefusedVisa(*claimed(text), error.reason, error.detail))
    ids = Counter((visa.issuer, visa.token_id) for visa in visas if visa.token_id is not None)
    if repeated := [token_id for (_, token_id), n in ids.items() if n > 1]:
        raise Refused(Reason.VISA_REPEATED, f"{len(repeated)} jti stand on two visas of one issuer")
    return visas, refused


def _of_one_person(token: Token, visas: Sequence[Visa], trust: Trust) -> tuple[list[Visa], list[RefusedVisa]]:
    """Visas of the passport's own identity, or of one that a trusted LinkedIdentities visa ties to it."""
    refused, groups, tied = [], [], {}
    for visa in visas:
        if visa.type != _LINKS:
            continue
        try:
            if visa.says.get("conditions"):
                raise Refused(Reason.CONDITIONS_NOT_SUPPORTED, "identities are not linked on conditions")
            tied[id(visa)] = {visa.identity, *read_links(visa.value, trust.issuers)}
            groups.append(tied[id(visa)])
        except Refused as error:
            refused.append(_refusal(visa, error))
    own = identity_of(token.issuer.url, token.subject, trust.issuers)
    same = linked_with(own, groups)
    kept = []
    for visa in visas:
        if visa.type == _LINKS and id(visa) not in tied:
            continue
        if tied.get(id(visa), {visa.identity}) & same:
            kept.append(visa)
        else:
            said = "it is another's, and no trusted visa links the two"
            refused.append(_refusal(visa, Refused(Reason.SUBJECT_NOT_LINKED, said)))
    return kept, refused


def _with_conditions_met(visas: Sequence[Visa]) -> tuple[list[Visa], list[RefusedVisa]]:
    kept, refused = [], []
    for visa in visas:
        try:
            if "conditions" in visa.says:
                others = [other.says for other in visas if other is not visa]
                check_conditions(visa.says["conditions"], others)
            kept.append(visa)
        except Refused as error:
            refused.append(_refusal(visa, error))
    return kept, refused


def _refusal(visa: Visa, error: Refused) -> RefusedVisa:
    return RefusedVisa(visa.type, visa.value, error.reason, error.detail)


# -- what a tier asks of the visas -----------------------------------------------------------------


def check_registered(passport: Passport, settings: AccessSettings) -> None:
    """Raise Refused unless terms are accepted and the researcher status is there, both of the version set."""
    wanted = settings.registered_access_url
    _check(passport, "AcceptedTermsAndPolicies", wanted, Reason.TERMS_NOT_ACCEPTED)
    _check(passport, "ResearcherStatus", wanted, Reason.RESEARCHER_STATUS_MISSING)


def check_controlled(passport: Passport, settings: AccessSettings) -> None:
    """Raise Refused unless a visa grants this data set, by its address byte for byte."""
    if settings.dataset_url is None:
        raise Refused(Reason.NOT_CONFIGURED, "access.dataset_url is not set")
    _check(passport, "ControlledAccessGrants", settings.dataset_url, Reason.DATASET_NOT_GRANTED)


def _check(passport: Passport, kind: str, value: str, otherwise: Reason) -> None:
    if any(visa.type == kind and visa.value == value for visa in passport.visas):
        return
    meant = [visa for visa in passport.refused if (visa.type, visa.value) == (kind, value)]
    # One that cannot be read may have been meant.
    meant += [visa for visa in passport.refused if not visa.type]
    if meant:
        raise Refused(meant[0].reason, f"the {kind} visa does not count: {meant[0].detail}")
    raise Refused(otherwise, f"no {kind} visa with the value {value}")
