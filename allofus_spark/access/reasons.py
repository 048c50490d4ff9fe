"""Why access was granted or refused: the closed list that ``access_audit.reason`` is of."""

from __future__ import annotations

from enum import Enum


class Reason(str, Enum):
    """One rule each. The value is what the tables hold."""

    GRANTED = "granted"
    NOT_CONFIGURED = "not_configured"

    # Of the passport as a whole, and of each visa in it.
    PASSPORT_MISSING = "passport_missing"
    PASSPORT_UNREADABLE = "passport_unreadable"
    TOKEN_TOO_LARGE = "token_too_large"
    TOKEN_MALFORMED = "token_malformed"
    ALGORITHM_NOT_ALLOWED = "algorithm_not_allowed"
    HEADER_NOT_SUPPORTED = "header_not_supported"
    TOKEN_TYPE_WRONG = "token_type_wrong"
    ISSUER_NOT_TRUSTED = "issuer_not_trusted"
    ISSUER_MAY_NOT = "issuer_may_not"
    KEY_UNKNOWN = "key_unknown"
    KEY_UNFIT = "key_unfit"
    SIGNATURE_WRONG = "signature_wrong"
    CLAIM_MISSING = "claim_missing"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUED_IN_FUTURE = "issued_in_future"
    AUDIENCE_WRONG = "audience_wrong"
    TOO_MANY_VISAS = "too_many_visas"
    VISA_REPEATED = "visa_repeated"

    # Of a visa.
    JKU_MISSING = "jku_missing"
    JKU_NOT_PINNED = "jku_not_pinned"
    VISA_IS_ACCESS_TOKEN = "visa_is_access_token"
    VISA_MALFORMED = "visa_malformed"
    VISA_TYPE_UNKNOWN = "visa_type_unknown"
    SOURCE_NOT_ACCEPTED = "source_not_accepted"
    ASSERTED_IN_FUTURE = "asserted_in_future"
    ASSERTED_TOO_LONG_AGO = "asserted_too_long_ago"
    BY_MISSING = "by_missing"
    BY_NOT_ACCEPTED = "by_not_accepted"
    SUBJECT_NOT_LINKED = "subject_not_linked"
    CONDITIONS_MALFORMED = "conditions_malformed"
    CONDITIONS_NOT_SUPPORTED = "conditions_not_supported"
    CONDITIONS_NOT_MET = "conditions_not_met"

    # Of what the visas say together.
    TERMS_NOT_ACCEPTED = "terms_not_accepted"
    RESEARCHER_STATUS_MISSING = "researcher_status_missing"
    DATASET_NOT_GRANTED = "dataset_not_granted"

    # Of the researcher.
    NOT_REGISTERED = "not_registered"
    ACCOUNT_DISABLED = "account_disabled"
    AGREEMENT_MISSING = "agreement_missing"
    AGREEMENT_NOT_VALID = "agreement_not_valid"
    MODULE_MISSING = "module_missing"
    MODULE_EXPIRED = "module_expired"
    CODE_OF_CONDUCT_MISSING = "code_of_conduct_missing"
    CODE_OF_CONDUCT_OUTDATED = "code_of_conduct_outdated"
    TIER_NOT_GRANTED = "tier_not_granted"
    TIER_REVOKED = "tier_revoked"


class Refused(Exception):
    """A rule that failed, and of what it failed in words; inside this package only."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
