"""Forged, stale, borrowed and misread passports are refused, each for its reason; good ones are not."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from allofus_spark.access.passports import Passport, check_controlled, check_registered, read_passport
from allofus_spark.access.reasons import Reason, Refused
from allofus_spark.settings import AccessSettings
from tests.access.minting import (
    ABSENT,
    AUDIENCE,
    BROKER,
    DATASET,
    DAY,
    HOUR,
    NOW,
    REGISTERED,
    Signer,
    access_settings,
    as_pem,
    broker,
    dac,
    ec_key,
    grant,
    linker,
    part,
    parts_of,
    registered_visas,
    rsa_key,
    school,
    stranger,
    trust_of,
)


@pytest.fixture
def settings(tmp_path: Path) -> AccessSettings:
    return access_settings(tmp_path)


def read(token: str | bytes, settings: AccessSettings) -> Passport:
    content = token if isinstance(token, bytes) else token.encode()
    return read_passport(content, trust_of(settings), settings, NOW)


def refusal(token: str | bytes, settings: AccessSettings, *, registered: bool = False) -> Reason:
    """Why the passport does not open the data set, or registered access."""
    check = check_registered if registered else check_controlled
    with pytest.raises(Refused) as refused:
        check(read(token, settings), settings)
    assert refused.value.detail
    return refused.value.reason


def test_a_grant_of_the_data_set_opens_it(settings: AccessSettings) -> None:
    passport = read(broker.passport([grant()]), settings)
    check_controlled(passport, settings)
    assert (passport.issuer, passport.subject, passport.token_id) == (BROKER, "ada", "passport-1")
    assert passport.refused == []


def test_terms_and_status_open_registered_access(settings: AccessSettings) -> None:
    passport = read(broker.passport(registered_visas()), settings)
    check_registered(passport, settings)
    with pytest.raises(Refused, match="dataset_not_granted"):
        check_controlled(passport, settings)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " "])
def test_a_file_may_end_with_a_line_end(end: str, settings: AccessSettings) -> None:
    check_controlled(read(broker.passport([grant()]) + end, settings), settings)


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["https://other.example.org", AUDIENCE]])
def test_the_passport_may_be_made_out_to_several(audience: Any, settings: AccessSettings) -> None:
    check_controlled(read(broker.passport([grant()], aud=audience), settings), settings)


# -- the passport itself ---------------------------------------------------------------------------


def of_header(**header: Any) -> str:
    return broker.passport([grant()], header=header)


def of_claims(**claims: Any) -> str:
    return broker.passport([grant()], **claims)


def forged() -> str:
    header, claims, signature = broker.passport([]).split(".")
    good = parts_of(of_claims())[1]
    assert claims != part(good)
    return f"{header}.{part(good)}.{signature}"


def unsigned() -> str:
    header, claims, _ = parts_of(of_claims())
    return f"{part({**header, 'alg': 'none'})}.{part(claims)}."


def none_with_signature() -> str:
    header, claims, signature = parts_of(of_claims())
    return f"{part({**header, 'alg': 'none'})}.{part(claims)}.{signature}"


def signed_with_the_public_key() -> str:
    """HS256, with the public key that everybody has as the secret."""
    header, claims, _ = parts_of(of_claims())
    text = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    return f"{text}.{part(hmac.new(as_pem(broker.key), text.encode(), hashlib.sha256).digest())}"


def signed_by(key: Any, algorithm: str | None = None, **header: Any) -> str:
    other = Signer(BROKER, key, "key-1")
    token = other.passport([grant()], header=header)
    if algorithm is None:
        return token
    head, claims, signature = parts_of(token)
    return f"{part({**head, 'alg': algorithm})}.{part(claims)}.{signature}"


def of_parts(header: Any = None, claims: Any = None) -> str:
    head, said, signature = parts_of(of_claims())
    return f"{part(header or head)}.{part(claims or said)}.{signature}"


PASSPORTS = {
    "forged claims": (forged, Reason.SIGNATURE_WRONG),
    "another's key, with the issuer's kid": (lambda: signed_by(rsa_key(9)), Reason.SIGNATURE_WRONG),
    "the key of another issuer that has the same kid": (
        lambda: signed_by(school.key),
        Reason.SIGNATURE_WRONG,
    ),
    "an issuer's key for another issuer": (lambda: signed_by(dac.key), Reason.KEY_UNFIT),
    "RS256 said of an ES256 signature": (lambda: signed_by(ec_key(9), "RS256"), Reason.SIGNATURE_WRONG),
    "a key given along": (lambda: signed_by(rsa_key(9), jwk={"kty": "RSA"}), Reason.SIGNATURE_WRONG),
    "alg none without signature": (unsigned, Reason.TOKEN_MALFORMED),
    "alg none with a signature": (none_with_signature, Reason.ALGORITHM_NOT_ALLOWED),
    "alg NONE": (lambda: of_parts({**parts_of(of_claims())[0], "alg": "NONE"}), Reason.ALGORITHM_NOT_ALLOWED),
    "HS256 with the public key": (signed_with_the_public_key, Reason.ALGORITHM_NOT_ALLOWED),
    "RS512": (lambda: of_parts({**parts_of(of_claims())[0], "alg": "RS512"}), Reason.ALGORITHM_NOT_ALLOWED),
    "alg absent": (lambda: of_parts({"typ": "JWT"}), Reason.ALGORITHM_NOT_ALLOWED),
    "alg a list": (lambda: of_parts({"alg": ["RS256"]}), Reason.ALGORITHM_NOT_ALLOWED),
    "a kid that the issuer does not have": (lambda: of_header(kid="key-2"), Reason.KEY_UNKNOWN),
    "no kid": (lambda: of_header(kid=ABSENT), Reason.KEY_UNKNOWN),
    "a kid that is no text": (
        lambda: of_parts({"alg": "RS256", "typ": "vnd.ga4gh.passport+jwt", "kid": 1}),
        Reason.KEY_UNKNOWN,
    ),
    "a kid that is a path": (lambda: of_header(kid="../../dev/null"), Reason.KEY_UNKNOWN),
    "an extension marked critical": (lambda: of_header(crit=["exp"]), Reason.HEADER_NOT_SUPPORTED),
    "compressed": (lambda: of_header(zip="DEF"), Reason.HEADER_NOT_SUPPORTED),
    "a token in a token": (lambda: of_header(cty="JWT"), Reason.HEADER_NOT_SUPPORTED),
    "no typ": (lambda: of_header(typ=ABSENT), Reason.TOKEN_TYPE_WRONG),
    "typ of an access token": (lambda: of_header(typ="at+jwt"), Reason.TOKEN_TYPE_WRONG),
    "a visa as passport": (lambda: grant(broker), Reason.TOKEN_TYPE_WRONG),
    "a visa that says passport": (
        lambda: grant(broker, header={"typ": "vnd.ga4gh.passport+jwt"}),
        Reason.AUDIENCE_WRONG,
    ),
    "an issuer that nobody trusts": (lambda: stranger.passport([grant()]), Reason.ISSUER_NOT_TRUSTED),
    "iss with a slash more": (lambda: of_claims(iss=BROKER + "/"), Reason.ISSUER_NOT_TRUSTED),
    "iss in capitals": (lambda: of_claims(iss=BROKER.upper()), Reason.ISSUER_NOT_TRUSTED),
    "iss a list": (lambda: of_claims(iss=[BROKER]), Reason.ISSUER_NOT_TRUSTED),
    "no iss": (lambda: of_claims(iss=ABSENT), Reason.ISSUER_NOT_TRUSTED),
    "an issuer of visas only": (lambda: dac.passport([grant()]), Reason.ISSUER_MAY_NOT),
    "expired": (lambda: of_claims(exp=NOW - 61), Reason.EXPIRED),
    "expired at this second": (lambda: of_claims(exp=NOW - 60), Reason.EXPIRED),
    "issued in the future": (lambda: of_claims(iat=NOW + 61), Reason.ISSUED_IN_FUTURE),
    "not valid yet": (lambda: of_claims(nbf=NOW + 61), Reason.NOT_YET_VALID),
    "nbf no time": (lambda: of_claims(nbf="now"), Reason.NOT_YET_VALID),
    "no exp": (lambda: of_claims(exp=ABSENT), Reason.CLAIM_MISSING),
    "no iat": (lambda: of_claims(iat=ABSENT), Reason.CLAIM_MISSING),
    "exp a text": (lambda: of_claims(exp=str(NOW + HOUR)), Reason.CLAIM_MISSING),
    "exp true": (lambda: of_claims(exp=True), Reason.CLAIM_MISSING),
    "exp past all calendars": (lambda: of_claims(exp=10**30), Reason.CLAIM_MISSING),
    "no sub": (lambda: of_claims(sub=ABSENT), Reason.CLAIM_MISSING),
    "sub empty": (lambda: of_claims(sub=""), Reason.CLAIM_MISSING),
    "another's aud": (lambda: of_claims(aud="https://other.example.org"), Reason.AUDIENCE_WRONG),
    "aud with a slash more": (lambda: of_claims(aud=[AUDIENCE + "/"]), Reason.AUDIENCE_WRONG),
    "no aud": (lambda: of_claims(aud=ABSENT), Reason.AUDIENCE_WRONG),
    "aud an object": (lambda: of_claims(aud={AUDIENCE: True}), Reason.AUDIENCE_WRONG),
    "no visas claim": (lambda: of_claims(ga4gh_passport_v1=ABSENT), Reason.CLAIM_MISSING),
    "visas no list": (lambda: of_claims(ga4gh_passport_v1=grant()), Reason.CLAIM_MISSING),
    "visas no texts": (lambda: of_claims(ga4gh_passport_v1=[{"type": "x"}]), Reason.CLAIM_MISSING),
    "a visa twice": (lambda: broker.passport([visa := grant(), visa]), Reason.VISA_REPEATED),
    "a jti twice": (
        lambda: broker.passport([grant(jti="1"), grant(jti="1", says={"note": "x"})]),
        Reason.VISA_REPEATED,
    ),
    "too many visas": (lambda: broker.passport([f"{n}" for n in range(51)]), Reason.TOO_MANY_VISAS),
    "no visas": (lambda: broker.passport([]), Reason.DATASET_NOT_GRANTED),
}


@pytest.mark.parametrize("name", PASSPORTS)
def test_a_bad_passport_is_refused_for_its_reason(name: str, settings: AccessSettings) -> None:
    make, reason = PASSPORTS[name]
    assert refusal(make(), settings) is reason


@pytest.mark.parametrize(
    "claims", [{"exp": NOW - 59}, {"iat": NOW + 60}, {"nbf": NOW + 60}, {"iat": NOW - 0.5}, {"nbf": 0}]
)
def test_clocks_may_be_apart_by_the_leeway(claims: Any, settings: AccessSettings) -> None:
    check_controlled(read(of_claims(**claims), settings), settings)


def with_claims(text: str | bytes) -> bytes:
    return f"{part({'alg': 'RS256'})}.{part(text)}.AAAA".encode()


HOSTILE = {
    "empty": b"",
    "bytes that are no text": b"\xff\xfe" * 40,
    "two parts": b"abc.def",
    "four parts": b"a.b.c.d",
    "encrypted, five parts": b"a.b.c.d.e",
    "padding": f"{part({'alg': 'RS256'})}=.{part({})}.{part('x')}".encode(),
    "plain base64": b"eyJh+/c.eyJh.abc",
    "a length that base64 cannot have": b"abcde.abcde.abcde",
    "a line end inside": of_claims().replace(".", ".\n", 1).encode(),
    "header no UTF-8": f"{part(bytes([0xFF, 0x7B]))}.{part({})}.AAAA".encode(),
    "claims no UTF-8": with_claims(b"{\xc3("),
    "header no JSON": f"{part('{')}.{part({})}.AAAA".encode(),
    "header a list": f"{part([1])}.{part({})}.AAAA".encode(),
    "deeply nested": f"{part('[' * 20_000)}.{part('[' * 20_000)}.AAAA".encode(),
    "deep objects": with_claims('{"a":' * 6_000 + "1" + "}" * 6_000),
    "a number of many digits": with_claims('{"exp":' + "9" * 9_000 + "}"),
    "not a number": with_claims('{"exp": NaN}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_token_is_refused_at_once(name: str, settings: AccessSettings) -> None:
    begun = time.perf_counter()
    assert refusal(HOSTILE[name], settings) is Reason.TOKEN_MALFORMED
    assert time.perf_counter() - begun < 1


def test_a_token_over_the_limit_is_not_looked_at(settings: AccessSettings) -> None:
    assert refusal(b"a" * (settings.max_passport_bytes + 1), settings) is Reason.TOKEN_TOO_LARGE
    nested = grant()
    for _ in range(5):  # a passport in a visa in a passport
        nested = broker.passport([broker.visa("ResearcherStatus", REGISTERED, says={"more": nested})])
    assert len(nested) < settings.max_passport_bytes
    assert refusal(nested, settings) is Reason.DATASET_NOT_GRANTED  # what is inside is not opened


# -- visas -----------------------------------------------------------------------------------------

NEAR_MISSES = {
    "a slash more": DATASET + "/",
    "lower case": DATASET.lower(),
    "scheme in capitals": DATASET.replace("https", "HTTPS"),
    "http": DATASET.replace("https", "http"),
    "percent-encoded letter": DATASET.replace("C", "%43"),
    "percent-encoded slash": DATASET.replace("/Cohort", "%2FCohort"),
    "port said": DATASET.replace("example.org", "example.org:443"),
    "a look-alike letter": DATASET.replace("o", "о"),
    "a dot segment": DATASET.replace("/datasets", "/./datasets"),
    "a question mark more": DATASET + "?",
    "a fragment": DATASET + "#1",
    "a blank before": " " + DATASET,
    "a blank after": DATASET + " ",
    "a line end after": DATASET + "\n",
    "a zero width space": DATASET + "\u200b",
    "a zero byte": DATASET + "\x00",
    "half a surrogate pair": DATASET + "\ud800",
    "its beginning": DATASET[:-1],
    "a pattern": DATASET[:-1] + "*",
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_the_address_of_the_data_set_counts_byte_for_byte(name: str, settings: AccessSettings) -> None:
    passport = broker.passport([grant(value=NEAR_MISSES[name])])
    assert refusal(passport, settings) is Reason.DATASET_NOT_GRANTED


def stolen(signer: Signer, key: Any) -> Signer:
    return Signer(signer.url, key, signer.kid)


BAD_VISAS = {
    "forged": (lambda: grant(stolen(dac, ec_key(9))), Reason.SIGNATURE_WRONG),
    "signed by the passport's issuer, as if by another": (
        lambda: grant(stolen(dac, broker.key)),
        Reason.KEY_UNFIT,
    ),
    "expired in a passport that is not": (lambda: grant(exp=NOW - 61), Reason.EXPIRED),
    "issued in the future": (lambda: grant(iat=NOW + HOUR), Reason.ISSUED_IN_FUTURE),
    "of an issuer that nobody trusts": (lambda: grant(stranger), Reason.ISSUER_NOT_TRUSTED),
    "of an issuer that may not grant": (lambda: grant(school), Reason.ISSUER_MAY_NOT),
    "jku that is not pinned": (
        lambda: grant(header={"jku": "https://evil.example.org/jwks"}),
        Reason.JKU_NOT_PINNED,
    ),
    "jku of another trusted issuer": (lambda: grant(header={"jku": broker.jku}), Reason.JKU_NOT_PINNED),
    "jku with a slash more": (lambda: grant(header={"jku": dac.jku + "/"}), Reason.JKU_NOT_PINNED),
    "no jku": (lambda: grant(header={"jku": ABSENT}), Reason.JKU_MISSING),
    "an access token by its scope": (lambda: grant(scope="openid profile"), Reason.VISA_IS_ACCESS_TOKEN),
    "an access token by its typ": (lambda: grant(header={"typ": "at+jwt"}), Reason.VISA_IS_ACCESS_TOKEN),
    "made out to somebody": (lambda: grant(aud=AUDIENCE), Reason.AUDIENCE_WRONG),
    "another subject's": (lambda: grant(sub="eve"), Reason.SUBJECT_NOT_LINKED),
    "the subject in capitals": (lambda: grant(sub="ADA"), Reason.SUBJECT_NOT_LINKED),
    "no by": (lambda: grant(says={"by": ABSENT}), Reason.BY_MISSING),
    "by null": (lambda: grant(says={"by": None}), Reason.BY_MISSING),
    "by oneself": (lambda: grant(says={"by": "self"}), Reason.BY_NOT_ACCEPTED),
    "by in capitals": (lambda: grant(says={"by": "DAC"}), Reason.BY_NOT_ACCEPTED),
    "asserted too long ago": (
        lambda: grant(says={"asserted": NOW - 366 * DAY}),
        Reason.ASSERTED_TOO_LONG_AGO,
    ),
    "asserted in the future": (lambda: grant(says={"asserted": NOW + HOUR}), Reason.ASSERTED_IN_FUTURE),
    "asserted at no time": (lambda: grant(says={"asserted": "1970"}), Reason.VISA_MALFORMED),
    "no source": (lambda: grant(says={"source": ABSENT}), Reason.VISA_MALFORMED),
    "a source too long": (lambda: grant(says={"source": "https://" + "a" * 250}), Reason.VISA_MALFORMED),
    "conditions that nobody meets": (
        lambda: grant(says={"conditions": [[{"type": "AffiliationAndRole", "value": "pattern:faculty@*"}]]}),
        Reason.CONDITIONS_NOT_MET,
    ),
    "conditions that are not supported": (
        lambda: grant(says={"conditions": [[{"type": "AffiliationAndRole", "value": "regex:.*"}]]}),
        Reason.CONDITIONS_NOT_SUPPORTED,
    ),
    "conditions that are none": (
        lambda: grant(says={"conditions": {"type": "AffiliationAndRole"}}),
        Reason.CONDITIONS_MALFORMED,
    ),
    "claims of no visa": (lambda: grant(ga4gh_visa_v1=ABSENT), Reason.VISA_MALFORMED),
    "a type of one's own": (
        lambda: dac.visa("https://example.org/visa", DATASET),
        Reason.VISA_TYPE_UNKNOWN,
    ),
    "garbage": (lambda: "not a token", Reason.TOKEN_MALFORMED),
    "nested too deeply": (
        lambda: f"{part({'alg': 'ES256'})}.{part('[' * 9_000)}.AAAA",
        Reason.TOKEN_MALFORMED,
    ),
}


@pytest.mark.parametrize("name", BAD_VISAS)
def test_a_bad_visa_is_left_out_for_its_reason(name: str, settings: AccessSettings) -> None:
    make, reason = BAD_VISAS[name]
    visa = make()
    assert refusal(broker.passport([visa]), settings) is reason
    both = read(broker.passport([visa, grant(jti="good")]), settings)
    check_controlled(both, settings)  # the good one counts all the same
    assert [item.reason for item in both.refused] == [reason]


def test_nothing_is_fetched(settings: AccessSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    def trap(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, trap)
    for jku in ("https://evil.example.org/jwks", dac.jku, "file:///etc/passwd"):
        signer = dac if jku == dac.jku else Signer(dac.url, ec_key(9), "evil")
        passport = broker.passport([grant(signer, header={"jku": jku})], header={"jku": jku, "x5u": jku})
        if jku == dac.jku:
            check_controlled(read(passport, settings), settings)
        else:
            assert refusal(passport, settings) is Reason.KEY_UNKNOWN


def test_registered_access_needs_both_visas_of_its_version(settings: AccessSettings) -> None:
    terms, status = registered_visas()
    assert refusal(broker.passport([status]), settings, registered=True) is Reason.TERMS_NOT_ACCEPTED
    assert refusal(broker.passport([terms]), settings, registered=True) is Reason.RESEARCHER_STATUS_MISSING
    older = broker.visa("ResearcherStatus", "https://doi.org/10.1038/s41431-018-0219-x")
    assert refusal(broker.passport([terms, older]), settings, registered=True) is (
        Reason.RESEARCHER_STATUS_MISSING
    )
    unsaid = broker.visa("AcceptedTermsAndPolicies", REGISTERED, says={"by": ABSENT})
    assert refusal(broker.passport([unsaid, status]), settings, registered=True) is Reason.BY_MISSING
    no_by = broker.visa("ResearcherStatus", REGISTERED, says={"by": ABSENT})  # it may have none
    check_registered(read(broker.passport([terms, no_by]), settings), settings)


def test_a_source_that_is_not_the_issuer_s_own_is_not_believed(tmp_path: Path) -> None:
    settings = access_settings(tmp_path)
    issuers = tuple(
        issuer.model_copy(update={"sources": ("https://dac.example.org",)})
        if issuer.url == dac.url
        else issuer
        for issuer in settings.issuers
    )
    strict = settings.model_copy(update={"issuers": issuers})
    assert refusal(broker.passport([grant()]), strict) is Reason.SOURCE_NOT_ACCEPTED
    good = grant(says={"source": "https://dac.example.org"})
    check_controlled(read(broker.passport([good]), strict), strict)


# -- linked identities -----------------------------------------------------------------------------


def linking(value: str, signer: Signer = linker, **more: Any) -> str:
    return signer.visa("LinkedIdentities", value, sub="link-1", **more)


ADA = "ada,https:%2F%2Fbroker.example.org%2Foidc"
AT_SCHOOL = "a.lovelace,https:%2F%2Fschool.example.edu"


def with_school(*visas: str, sub: str = "a.lovelace") -> str:
    terms, _ = registered_visas()
    return broker.passport([terms, school.visa("ResearcherStatus", REGISTERED, sub=sub), *visas])


def test_a_trusted_visa_links_two_identities(settings: AccessSettings) -> None:
    check_registered(read(with_school(linking(f"{ADA};{AT_SCHOOL}")), settings), settings)
    encoded = f"{ADA.replace(':', '%3A')};{AT_SCHOOL.replace(':', '%3a')}"
    check_registered(read(with_school(linking(encoded)), settings), settings)


def test_links_make_a_chain(settings: AccessSettings) -> None:
    chain = [
        linking(f"{ADA};x,https:%2F%2Fx.org", jti="1"),
        linking(f"x,https:%2F%2Fx.org;{AT_SCHOOL}", jti="2"),
    ]
    check_registered(read(with_school(*chain), settings), settings)
    assert refusal(with_school(chain[1]), settings, registered=True) is Reason.SUBJECT_NOT_LINKED


@pytest.mark.parametrize(
    ("value", "signer"),
    [
        ("", linker),
        (ADA, linker),
        (AT_SCHOOL, linker),
        (f"eve,https:%2F%2Fbroker.example.org%2Foidc;{AT_SCHOOL}", linker),
        (f"{ADA};{AT_SCHOOL}", broker),  # trusted, but not to link
        (f"{ADA};{AT_SCHOOL}", stranger),
        (f"{ADA}; {AT_SCHOOL}", linker),  # white space is not allowed between
        (f"{ADA};{AT_SCHOOL};", linker),
        (f"{ADA},{AT_SCHOOL}", linker),
        (f"{ADA};a.lovelace,https:%2F%2Fschool.example.edu%2", linker),
        (f"{ADA};a.lovelace,https:%2F%2Fschool.example.edu%FF", linker),
        (f"{ADA};A.Lovelace,https:%2F%2Fschool.example.edu", linker),
        (f"{ADA.replace('oidc', 'oidc%2F')};{AT_SCHOOL}", linker),
        (";".join([ADA, AT_SCHOOL, *(f"{n},b" for n in range(100))]), linker),
    ],
)
def test_other_links_do_not_count(value: str, signer: Signer, settings: AccessSettings) -> None:
    token = with_school(linking(value, signer))
    assert refusal(token, settings, registered=True) is Reason.SUBJECT_NOT_LINKED


def test_the_same_subject_of_another_issuer_is_somebody_else(settings: AccessSettings) -> None:
    assert refusal(with_school(sub="ada"), settings, registered=True) is Reason.SUBJECT_NOT_LINKED


def test_links_on_conditions_do_not_count(settings: AccessSettings) -> None:
    condition = [[{"type": "AcceptedTermsAndPolicies", "by": "const:self"}]]
    link = linking(f"{ADA};{AT_SCHOOL}", says={"conditions": condition})
    passport = read(with_school(link), settings)
    assert Reason.CONDITIONS_NOT_SUPPORTED in {visa.reason for visa in passport.refused}
    assert refusal(with_school(link), settings, registered=True) is Reason.SUBJECT_NOT_LINKED


def test_the_specification_s_own_example_is_read_as_it_says(settings: AccessSettings) -> None:
    """Conditions of the example passport of GA4GH Passport 1.2: faculty by a signing official or a system."""
    source = "https://grid.ac/institutes/grid.240952.8"
    clause = {
        "type": "AffiliationAndRole",
        "value": "const:faculty@med.stanford.edu",
        "source": f"const:{source}",
    }
    conditions = [[{**clause, "by": "const:so"}], [{**clause, "by": "const:system"}]]
    conditional = grant(says={"conditions": conditions})

    def role(exp: int = NOW + DAY, **says: Any) -> str:
        said = {"source": source, "by": "so", **says}
        return broker.visa("AffiliationAndRole", "faculty@med.stanford.edu", says=said, exp=exp)

    for by in ("so", "system"):
        check_controlled(read(broker.passport([conditional, role(by=by)]), settings), settings)
    for other in (role(by="peer"), role(source="https://x.org"), role(exp=1), role(conditions=[])):
        passport = broker.passport([conditional, other])
        assert refusal(passport, settings) is Reason.CONDITIONS_NOT_MET
    assert refusal(broker.passport([conditional]), settings) is Reason.CONDITIONS_NOT_MET
