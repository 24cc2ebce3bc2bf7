"""`python -m mesh.certificates`: a certificate authority for one machine, and a certificate for each process.

Every certificate carries its process's SPIFFE id, which is what both ends of a connection check; the names and
addresses of this machine are there for clients that look at nothing else. A mesh of many machines has an authority of
its own.
"""

import argparse
import ipaddress
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=365)
AUTHORITY_LIFETIME = timedelta(days=3650)
# Clocks of one mesh may differ by so much.
CLOCK_SKEW = timedelta(minutes=5)
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LOOPBACK = ("127.0.0.1", "::1")


class CertificatesError(Exception):
    """Why no certificate could be made."""


@dataclass(frozen=True)
class Authority:
    """A certificate and the key that signs in its name."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(directory: Path, names: list[str], trust_domain: str, now: datetime) -> None:
    """Makes `directory/NAME/{cert,key,ca}.pem` for every name, from the authority kept in `directory`.

    The authority is made where there is none. Raises CertificatesError.
    """
    for name in names:
        if not NAME_PATTERN.fullmatch(name):
            raise CertificatesError(f"{name!r} is not a process's name: lower-case letters, digits, - and _")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        authority = kept_authority(directory, trust_domain, now)
        for name in names:
            _keep_leaf(directory / name, authority, f"spiffe://{trust_domain}/{name}", now)
    except OSError as error:
        raise CertificatesError(f"{error.filename}: {error.strerror}") from error


def kept_authority(directory: Path, trust_domain: str, now: datetime) -> Authority:
    """The authority of `ca.pem` and `ca.key.pem`; a new one is written where both are missing."""
    certificate_file, key_file = directory / "ca.pem", directory / "ca.key.pem"
    if certificate_file.exists() != key_file.exists():
        raise CertificatesError(f"{directory} has only one of ca.pem and ca.key.pem")
    if not certificate_file.exists():
        authority = new_authority(trust_domain, now)
        _write(key_file, _pem(authority.key), 0o600)
        _write(certificate_file, _pem(authority.certificate), 0o644)
        return authority
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    except ValueError as error:
        raise CertificatesError(f"{directory}: ca.pem or ca.key.pem cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CertificatesError(f"{directory}: ca.key.pem is not the key of ca.pem")
    return Authority(certificate, key)


def new_authority(trust_domain: str, now: datetime) -> Authority:
    """An authority that signs leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{trust_domain} authority")])
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def leaf(authority: Authority, spiffe_id: str, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate for both ends of a connection, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, spiffe_id.rpartition("/")[2])])
    names: list[x509.GeneralName] = [
        x509.UniformResourceIdentifier(spiffe_id),
        x509.DNSName("localhost"),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in LOOPBACK),
    ]
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = (
        _builder(subject, authority.certificate.subject, key.public_key(), now, LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return certificate, key


def _keep_leaf(directory: Path, authority: Authority, spiffe_id: str, now: datetime) -> None:
    certificate, key = leaf(authority, spiffe_id, now)
    directory.mkdir(exist_ok=True)
    _write(directory / "ca.pem", _pem(authority.certificate), 0o644)
    _write(directory / "key.pem", _pem(key), 0o600)
    # Last, because processes look at this file to see that there is a new pair.
    _write(directory / "cert.pem", _pem(certificate), 0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(thing: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    return thing.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, mode: int) -> None:
    """Replaces a file at once, so that no process reads half of it; it never exists with a wider mode."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(content)
    new.replace(file)


def main(arguments: list[str]) -> int:
    """The command; gives its exit status."""
    parser = argparse.ArgumentParser(prog="python -m mesh.certificates", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--directory", type=Path, required=True, help="where the authority and the certificates are")
    parser.add_argument("--trust-domain", default="scenemesh.local", help="the SPIFFE trust domain (%(default)s)")
    parser.add_argument("names", nargs="+", metavar="NAME", help="a process, for example chat")
    options = parser.parse_args(arguments)
    try:
        issue(options.directory, options.names, options.trust_domain, datetime.now(UTC))
    except CertificatesError as error:
        print(f"certificates: {error}", file=sys.stderr)  # noqa: T201 (a command speaks to a person)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
