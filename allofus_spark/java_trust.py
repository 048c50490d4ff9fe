"""Let Java trust the certificate authorities that this machine trusts.

A Java that the system did not install brings a list of its own. Behind a proxy that signs with an authority
of the house, pip works and such a Java refuses every server. The remedy: the system's list in Java's format.
"""

from __future__ import annotations

import hashlib
import os
import re
import ssl
import struct
from pathlib import Path

REFUSED = "PKIX path building failed"  # Java's words for a server whose authority it does not know
PASSWORD = "changeit"  # Java's own default; it guards against accidents, nothing here is secret

_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
    "/etc/ssl/cert.pem",  # macOS, Alpine
)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def system_authorities() -> list[bytes]:
    """The certificates (DER) of the first list that this machine has; empty when none is found."""
    named = [os.environ.get(variable) for variable in _VARIABLES]
    for place in (*named, ssl.get_default_verify_paths().cafile, *_BUNDLES):
        if place and Path(place).is_file():
            text = Path(place).read_text(encoding="utf-8", errors="replace")
            return [ssl.PEM_cert_to_DER_cert(pem) for pem in _PEM.findall(text)]
    return []


def write_trust_store(file: Path, certificates: list[bytes]) -> None:
    """Write certificates (DER) as a Java key store, format JKS version 2.

    The format is a header, one entry a certificate, and a SHA-1 over the password, a fixed phrase and all
    that came before (sun.security.provider.JavaKeyStore in OpenJDK).
    """
    body = struct.pack(">III", 0xFEEDFEED, 2, len(certificates))
    for number, certificate in enumerate(certificates):
        body += struct.pack(">I", 2) + _utf(f"authority-{number}") + struct.pack(">Q", 0)
        body += _utf("X.509") + struct.pack(">I", len(certificate)) + certificate
    digest = hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body)
    file.write_bytes(body + digest.digest())


def trust_options(store: Path) -> list[str]:
    """The options that make a Java use a store that `write_trust_store` wrote."""
    return [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD}"]


def _utf(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")
