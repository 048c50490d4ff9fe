"""Issuers made for a test, with keys of their own, and the passports and visas that they sign."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from allofus_spark.access.trust import Trust, load_trust
from allofus_spark.settings import AccessSettings, Issuer

# 2026-06-01 00:00 UTC, in seconds since 1970.
NOW = 1_780_272_000
HOUR, DAY = 3600, 86_400
DATASET = "https://data.example.org/datasets/Cohort-1"
AUDIENCE = "https://allofus.example.org"
REGISTERED = "https://doi.org/10.1038/s41431-018-0219-y"
BROKER, DAC, LINKER, STRANGER = (
    "https://broker.example.org/oidc",
    "https://dac.example.org/visas",
    "https://links.example.org",
    "https://stranger.example.org",
)
ABSENT = object()


@functools.cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def ec_key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def as_jwk(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    """The public half as a JSON Web Key."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": kid, "use": "sig", **members}


def as_pem(key: Any) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@dataclass(frozen=True)
class Signer:
    """An issuer with its private key."""

    url: str
    key: Any
    kid: str
    issues: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def algorithm(self) -> str:
        return "RS256" if isinstance(self.key, rsa.RSAPrivateKey) else "ES256"

    @property
    def jku(self) -> str:
        return f"{self.url}/jwks"

    def token(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """A signed token; what is `ABSENT` is left out."""
        said = {name: value for name, value in header.items() if value is not ABSENT}
        content = {name: value for name, value in claims.items() if value is not ABSENT}
        return jwt.PyJWS().encode(
            json.dumps(content).encode(), self.key, algorithm=self.algorithm, headers={"typ": None, **said}
        )

    def visa(self, kind: str, value: str, *, header: Any = None, says: Any = None, **claims: Any) -> str:
        """A visa of ada's, asserted an hour ago."""
        visa = {"type": kind, "value": value, "source": "https://source.example.org", "asserted": NOW - HOUR}
        visa |= {"by": "self" if kind == "AcceptedTermsAndPolicies" else "dac", **(says or {})}
        visa = {name: content for name, content in visa.items() if content is not ABSENT}
        own = {"iss": self.url, "sub": "ada", "iat": NOW - HOUR, "exp": NOW + DAY, "ga4gh_visa_v1": visa}
        head = {"kid": self.kid, "jku": self.jku, "typ": "vnd.ga4gh.visa+jwt", **(header or {})}
        return self.token({**own, **claims}, head)

    def passport(self, visas: Iterable[str], *, header: Any = None, **claims: Any) -> str:
        """A passport of ada's, an hour old."""
        own = {"iss": self.url, "sub": "ada", "aud": AUDIENCE, "iat": NOW - HOUR, "exp": NOW + HOUR}
        own |= {"jti": "passport-1", "ga4gh_passport_v1": list(visas)}
        head = {"kid": self.kid, "typ": "vnd.ga4gh.passport+jwt", **(header or {})}
        return self.token({**own, **claims}, head)


VISAS = ("AcceptedTermsAndPolicies", "ResearcherStatus", "ControlledAccessGrants", "AffiliationAndRole")
broker = Signer(BROKER, rsa_key(1), "key-1", ("passport", *VISAS))
# Its visas name the broker's subjects, as in one federation.
dac = Signer(DAC, ec_key(1), "key-1", ("ControlledAccessGrants",), {"subjects_of": BROKER})
linker = Signer(LINKER, ec_key(2), "key-2", ("LinkedIdentities",))
# Trusted for researcher status, with subjects of its own.
school = Signer("https://school.example.edu", rsa_key(2), "key-1", ("ResearcherStatus",))
# Trusted by nobody.
stranger = Signer(STRANGER, rsa_key(3), "key-1", ("passport", *VISAS))
TRUSTED = (broker, dac, linker, school)


def access_settings(folder: Path, **changes: Any) -> AccessSettings:
    """Settings that trust `TRUSTED`, whose keys are written below ``folder``."""
    issuers = []
    for number, signer in enumerate(TRUSTED):
        file = folder / f"issuer_{number}.jwks"
        file.write_text(json.dumps({"keys": [as_jwk(signer.key, signer.kid)]}))
        issuers.append(
            Issuer(
                url=signer.url, jwks_file=str(file), issues=signer.issues, jku=signer.jku, **signer.options
            )
        )
    own = {"enforce": True, "dataset_url": DATASET, "audience": AUDIENCE, "issuers": tuple(issuers)}
    return AccessSettings(**{**own, **changes})


def trust_of(settings: AccessSettings) -> Trust:
    return load_trust(settings)


def registered_visas(**claims: Any) -> list[str]:
    return [
        broker.visa("AcceptedTermsAndPolicies", REGISTERED, **claims),
        broker.visa("ResearcherStatus", REGISTERED, **claims),
    ]


def grant(signer: Signer = dac, value: str = DATASET, **more: Any) -> str:
    return signer.visa("ControlledAccessGrants", value, **more)


def part(content: Any) -> str:
    """JSON, or text or bytes as they are, in base64url."""
    if not isinstance(content, bytes | str):
        content = json.dumps(content)
    raw = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims and signature of a token."""
    header, claims, signature = token.split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(item + "==")) for item in (header, claims)]
    return decoded[0], decoded[1], signature
