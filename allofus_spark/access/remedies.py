"""What to do about a refusal, a sentence for each reason; rules of researchers say it themselves."""

from __future__ import annotations

from allofus_spark.access.reasons import Reason

_NEW_PASSPORT = "Ask the issuer of your passport for a new one."
_NEW_VISA = (
    "Ask the issuer of the visa for a new one, then the issuer of your passport for a passport with it."
)
_ISSUERS = "If the issuer is to be trusted, the operator adds it to access.issuers."
_TEAM = "Ask the data access team: allofus access check RESEARCHER shows what is missing."

_REMEDIES = {
    Reason.NOT_CONFIGURED: "The operator sets up [access]: docs/access.md, Setting up.",
    Reason.PASSPORT_MISSING: "Give --passport FILE, or name the file in ALLOFUS_PASSPORT.",
    Reason.PASSPORT_UNREADABLE: "Name a file that holds the passport and may be read.",
    Reason.TOKEN_TOO_LARGE: "Ask for a passport with fewer visas, or let the operator raise "
    "access.max_passport_bytes.",
    Reason.TOKEN_MALFORMED: "Save the token of the issuer's answer as it is: three parts with dots between.",
    Reason.TOKEN_TYPE_WRONG: "Give the passport (typ vnd.ga4gh.passport+jwt), no access token or visa.",
    Reason.ISSUER_NOT_TRUSTED: _ISSUERS,
    Reason.ISSUER_MAY_NOT: _ISSUERS,
    Reason.KEY_UNKNOWN: "If the issuer has new keys, the operator puts them into its jwks_file.",
    Reason.AUDIENCE_WRONG: "Ask for a passport made out to this service: its name is access.audience.",
    Reason.TOO_MANY_VISAS: "Ask for a passport with the visas of this data set alone.",
    Reason.JKU_NOT_PINNED: _ISSUERS,
    Reason.SUBJECT_NOT_LINKED: "Link the two accounts at an issuer that may issue LinkedIdentities, and ask "
    "for a passport with that visa.",
    Reason.CONDITIONS_NOT_MET: "Ask for a passport that holds the visas too that the conditions name.",
    Reason.TERMS_NOT_ACCEPTED: "Accept the terms of registered access where your passport comes from.",
    Reason.RESEARCHER_STATUS_MISSING: "Ask your signing official to confirm that you do research.",
    Reason.DATASET_NOT_GRANTED: "Apply to the data access committee; its visa must name access.dataset_url.",
    Reason.NOT_REGISTERED: "Register with the data access team: allofus access register --passport-issuer "
    "--passport-subject.",
}
_OF_PASSPORT = (
    Reason.ALGORITHM_NOT_ALLOWED,
    Reason.HEADER_NOT_SUPPORTED,
    Reason.KEY_UNFIT,
    Reason.SIGNATURE_WRONG,
    Reason.CLAIM_MISSING,
    Reason.EXPIRED,
    Reason.NOT_YET_VALID,
    Reason.ISSUED_IN_FUTURE,
    Reason.VISA_REPEATED,
)
_OF_VISA = (
    Reason.JKU_MISSING,
    Reason.VISA_IS_ACCESS_TOKEN,
    Reason.VISA_MALFORMED,
    Reason.VISA_TYPE_UNKNOWN,
    Reason.SOURCE_NOT_ACCEPTED,
    Reason.ASSERTED_IN_FUTURE,
    Reason.ASSERTED_TOO_LONG_AGO,
    Reason.BY_MISSING,
    Reason.BY_NOT_ACCEPTED,
    Reason.CONDITIONS_MALFORMED,
    Reason.CONDITIONS_NOT_SUPPORTED,
)


def remedy_of(reason: Reason) -> str:
    """What somebody can do who was refused for ``reason``; empty: they were not."""
    if reason is Reason.GRANTED:
        return ""
    if reason in _OF_PASSPORT:
        return _NEW_PASSPORT
    return _NEW_VISA if reason in _OF_VISA else _REMEDIES.get(reason, _TEAM)
