"""The deployment's certificate authority, which only its machines trust.

Hides certificates: the gate opens TLS with a certificate for the host that was asked for, so that policy sees
what is sent. The authority's key never leaves its folder and is readable by its owner only.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import secrets
import ssl
from collections import OrderedDict
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Threadhand egress gate")])
KEPT = 512
DAY = datetime.timedelta(days=1)


class Authority:
    """Load the authority from `folder`, or create it there. Several processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        both = folder / "authority.pem"
        if not both.exists():
            publish(both, generate())
        pem = both.read_bytes()
        self._certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{both} holds no key of ours. Delete it and a new one is made.")
        self._key = key
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: OrderedDict[str, tuple[datetime.datetime, ssl.SSLContext]] = OrderedDict()
        self._path = folder / "ca.pem"
        public = self._certificate.public_bytes(serialization.Encoding.PEM)
        if not self._path.exists() or self._path.read_bytes() != public:
            replace(self._path, public, 0o644)

    @property
    def certificate(self) -> Path:
        """The PEM file that programs in the machine trust."""
        return self._path

    def context(self, host: str) -> ssl.SSLContext:
        """A server's TLS context for `host`, a name or an address; made on demand, kept for a day."""
        now = datetime.datetime.now(datetime.UTC)
        made, context = self._contexts.get(host, (now - 2 * DAY, None))
        if context is None or now - made > DAY:
            context = self._build(host, now)
            self._contexts[host] = (now, context)
        self._contexts.move_to_end(host)
        while len(self._contexts) > KEPT:
            self._contexts.popitem(last=False)
        return context

    def _build(self, host: str, now: datetime.datetime) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # The ssl module reads certificates from files only; this one is in memory and gone afterwards.
        descriptor = os.memfd_create("leaf")
        try:
            os.write(descriptor, self._leaf(host, now))
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return context

    def _leaf(self, host: str, now: datetime.datetime) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
        key = self._leaf_key
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 14 * DAY)
            .add_extension(x509.SubjectAlternativeName([alternative(host)]), critical=not host)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return pem_of(key) + certificate.public_bytes(serialization.Encoding.PEM)


def generate() -> bytes:
    """A new key and its certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 3650 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return pem_of(key) + certificate.public_bytes(serialization.Encoding.PEM)


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def draft(path: Path, content: bytes, mode: int) -> Path:
    """A complete file beside `path`, under a name nobody else uses."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.chmod(mode)
    return beside


def replace(path: Path, content: bytes, mode: int) -> None:
    draft(path, content, mode).replace(path)


def publish(path: Path, content: bytes) -> None:
    """Create `path` whole and private, unless another process was first: then theirs stays."""
    beside = draft(path, content, 0o600)
    try:
        os.link(beside, path)
    except FileExistsError:
        return
    finally:
        beside.unlink()
