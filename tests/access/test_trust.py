"""Keys are public, fit for their algorithm, and each its issuer's own; every other file is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from allofus_spark.access.reasons import Reason
from allofus_spark.access.remedies import remedy_of
from allofus_spark.access.trust import load_trust
from allofus_spark.errors import SettingsError
from allofus_spark.settings import AccessSettings, Issuer, load_settings
from tests.access.minting import access_settings, as_jwk, ec_key, rsa_key


def trusting(folder: Path, content: Any) -> AccessSettings:
    file = folder / "keys.jwks"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    issuer = Issuer(url="https://a.org", jwks_file=str(file), issues=("passport",))
    return AccessSettings(issuers=(issuer,))


def test_each_issuer_has_its_own_keys(tmp_path: Path) -> None:
    trust = load_trust(access_settings(tmp_path))
    same_kid = [keys["key-1"] for keys in trust.keys.values() if "key-1" in keys]
    assert len(same_kid) == 3
    assert len({key.key.public_numbers() for key in same_kid}) == 3


def test_keys_for_other_uses_are_passed_over(tmp_path: Path) -> None:
    keys = [
        as_jwk(rsa_key(1), "1"),
        as_jwk(ec_key(1), "2", alg="ES256"),
        as_jwk(rsa_key(1), "3", use="enc"),
        as_jwk(rsa_key(1), "4", alg="RS512"),
        as_jwk(ec.generate_private_key(ec.SECP384R1()), "5"),
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "6"},
    ]
    trust = load_trust(trusting(tmp_path, {"keys": keys}))
    assert {kid: key.algorithm for kid, key in trust.keys["https://a.org"].items()} == {
        "1": "RS256",
        "2": "ES256",
    }


SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
PRIVATE = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(1))), "kid": "1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON Web Key Set"),
        ("[" * 50_000, "no JSON Web Key Set"),
        ([], "no JSON Web Key Set"),
        ({"keys": []}, "none is for RS256 or ES256"),
        ({"keys": "x"}, "none is for RS256 or ES256"),
        ({"keys": [{"kty": "RSA"}]}, "every key needs a kid"),
        ({"keys": [PRIVATE]}, "private or symmetric"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}]}, "private or symmetric"),
        ({"keys": [as_jwk(SMALL, "1")]}, "1024 bits; RS256 needs 2048"),
        ({"keys": [as_jwk(rsa_key(1), "1"), as_jwk(rsa_key(2), "1")]}, "two keys have the kid 1"),
        ({"keys": [{"kty": "RSA", "kid": "1", "n": "!", "e": "AQAB"}]}, "key 1 is no key"),
        ({"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "x": "AAAA", "y": "AAAA"}]}, "key 1 is no key"),
    ],
)
def test_a_file_of_other_things_is_refused(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        load_trust(trusting(tmp_path, content))
    assert "https://a.org" in str(refusal.value)
    assert "keys.jwks" in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    issuer = Issuer(url="https://a.org", jwks_file=str(tmp_path / "absent"), issues=("passport",))
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_trust(AccessSettings(issuers=(issuer,)))


TABLE = """
[[access.issuers]]
url = "https://a.org"
jwks_file = "a.jwks"
issues = ["passport", "LinkedIdentities"]
jku = "https://a.org/jwks"
"""


def test_issuers_are_tables_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(TABLE)
    (issuer,) = load_settings(file).access.issuers
    assert (issuer.issues, issuer.sources) == (("passport", "LinkedIdentities"), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLE.replace('jku = "https://a.org/jwks"', ""), "issues visas: give the jku"),
        (TABLE + TABLE, "give each issuer once; repeated: https://a.org"),
        (TABLE.replace("LinkedIdentities", "Everything"), "access.issuers.0.issues.1.* = 'Everything'"),
        (TABLE.replace("jwks_file", "jwks"), "access.issuers.0.jwks_file.*Field required"),
        (TABLE.replace('["passport", "LinkedIdentities"]', "[]"), "access.issuers.0.issues"),
        ("[access]\ngranted_by = ['king']\n", "must be of self, peer, system, so, dac: king"),
    ],
)
def test_a_wrong_issuer_is_told_of(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_settings(file)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.GRANTED])
def test_every_refusal_says_what_to_do_and_is_documented(reason: Reason) -> None:
    assert len(remedy_of(reason)) > 20
    document = Path(__file__).parents[2] / "docs" / "access.md"
    assert f"| `{reason.value}` |" in document.read_text(encoding="utf-8")
