"""The issuers that are trusted, and their public keys, from files that the settings name: none is fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from allofus_spark.errors import SettingsError, readable
from allofus_spark.settings import AccessSettings, Issuer

PublicKey = RSAPublicKey | EllipticCurvePublicKey
# RFC 7518, 3.3: keys of RS256 have 2,048 bits or more.
_LEAST_RSA_BITS = 2048
_MOST_FILE_BYTES = 1024 * 1024
# Members of a key that only its owner may have: RFC 7518, 6.2.2, 6.3.2 and 6.4.1.
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True)
class Key:
    """A public key and the one algorithm that it is for."""

    algorithm: str
    key: PublicKey


@dataclass(frozen=True)
class Trust:
    """Issuers by ``iss``, and the keys of each by ``kid``: a ``kid`` means nothing outside its issuer."""

    issuers: Mapping[str, Issuer]
    keys: Mapping[str, Mapping[str, Key]]


def load_trust(settings: AccessSettings) -> Trust:
    """The issuers of the settings with their keys; raises SettingsError where a file is not public keys."""
    return Trust(
        {issuer.url: issuer for issuer in settings.issuers},
        {issuer.url: _read_keys(issuer) for issuer in settings.issuers},
    )


def _read_keys(issuer: Issuer) -> dict[str, Key]:
    said = f"access.issuers: keys of {issuer.url} in {issuer.jwks_file}"
    try:
        with Path(issuer.jwks_file).open("rb") as stream:
            found = json.loads(stream.read(_MOST_FILE_BYTES))["keys"]
    except OSError as error:
        raise SettingsError(f"{said} cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise SettingsError(f"{said} are no JSON Web Key Set: {{'keys': [...]}}") from error
    keys: dict[str, Key] = {}
    for item in found if isinstance(found, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("kid"), str):
            raise SettingsError(f"{said}: every key needs a kid")
        key = _read_key(item, f"{said}: key {readable(item['kid'])}")
        if key is not None and item["kid"] in keys:
            raise SettingsError(f"{said}: two keys have the kid {readable(item['kid'])}")
        if key is not None:
            keys[item["kid"]] = key
    if not keys:
        raise SettingsError(f"{said}: none is for RS256 or ES256 signatures")
    return keys


def _read_key(item: Mapping[str, Any], said: str) -> Key | None:
    """A key of the set; None: it is for another use or algorithm. Raises SettingsError for a secret one."""
    if secret := sorted(_PRIVATE & item.keys()):
        raise SettingsError(
            f"{said} has {', '.join(secret)}: it is private or symmetric. Whoever reads the file could sign "
            "passports; put the public key there, and replace this one where it is in use"
        )
    algorithm = "ES256" if (item.get("kty"), item.get("crv")) == ("EC", "P-256") else "RS256"
    is_ours = item.get("kty") == "RSA" or algorithm == "ES256"
    if not is_ours or item.get("use", "sig") != "sig" or item.get("alg", algorithm) != algorithm:
        return None
    try:
        key = PyJWK(dict(item), algorithm=algorithm).key
    except (PyJWTError, ValueError, TypeError) as error:
        raise SettingsError(f"{said} is no key: {readable(str(error))}") from error
    if isinstance(key, RSAPublicKey) and key.key_size < _LEAST_RSA_BITS:
        raise SettingsError(f"{said} has {key.key_size} bits; RS256 needs {_LEAST_RSA_BITS} or more")
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        return None
    return Key(algorithm, key)
