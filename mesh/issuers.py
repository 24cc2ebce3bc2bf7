"""Token issuers from TOML files, refused at start rather than trusted too far.

Envoy accepts every algorithm that a provider's key set has a key for. So a key set here holds keys of one algorithm's
family only, and each key is marked with the algorithm that it may be used with (RFC 7517, `alg`), which Envoy keeps to.
A key set that is fetched cannot be read here: its issuer must keep to one family itself.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import jwt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mesh.topology import Issuer

Algorithm = Literal["HS256", "RS256", "ES256"]
# What a key of the algorithm is in a key set: the members that must have these values.
FAMILIES: dict[str, dict[str, str]] = {
    "HS256": {"kty": "oct"},
    "RS256": {"kty": "RSA"},
    "ES256": {"kty": "EC", "crv": "P-256"},
}
# RFC 7518, section 3.2: a key of the hash's size or larger.
HMAC_KEY_BYTES_MIN = 32
RSA_KEY_BITS_MIN = 2048

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class IssuersError(Exception):
    """The file cannot be used; the message names every fault, a line each."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    issuer: Text
    audience: Text
    algorithm: Algorithm
    jwks_file: Path | None = None
    jwks_uri: Text | None = None
    role_claim: Text = "role"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: list[_Entry] = Field(min_length=1, max_length=20)


def load(*files: Path) -> tuple[Issuer, ...]:
    """The issuers of all files; `jwks_file` is relative to the file it stands in. Raises IssuersError."""
    entries = [(entry, file.parent) for file in files for entry in _read(file)]
    faults = _duplicates([entry for entry, _ in entries])
    issuers: list[Issuer] = []
    for entry, folder in entries:
        try:
            issuers.append(_issuer(entry, folder))
        except IssuersError as error:
            faults.append(f"issuer {entry.name}: {error}")
    if faults:
        raise IssuersError("\n".join(faults))
    return tuple(issuers)


def _read(path: Path) -> list[_Entry]:
    try:
        return _File.model_validate(tomllib.loads(path.read_text())).issuer
    except OSError as error:
        raise IssuersError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise IssuersError(f"{path}: {error}") from error
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise IssuersError("\n".join(lines)) from error


def _duplicates(entries: list[_Entry]) -> list[str]:
    names = [entry.name for entry in entries]
    return [f"issuer {name} stands twice" for name in sorted(set(names)) if names.count(name) > 1]


def _issuer(entry: _Entry, directory: Path) -> Issuer:
    if (entry.jwks_file is None) == (entry.jwks_uri is None):
        raise IssuersError("needs exactly one of jwks_file and jwks_uri")
    if entry.jwks_uri is not None:
        _check_uri(entry.jwks_uri, entry.algorithm)
    return Issuer(
        name=entry.name,
        issuer=entry.issuer,
        audience=entry.audience,
        algorithm=entry.algorithm,
        role_claim=entry.role_claim,
        jwks=None if entry.jwks_file is None else _key_set(directory / entry.jwks_file, entry.algorithm),
        jwks_uri=entry.jwks_uri,
    )


def _check_uri(uri: str, algorithm: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme != "https" or not parts.hostname:
        raise IssuersError("jwks_uri must be an https URL")
    if algorithm == "HS256":
        raise IssuersError("a shared secret is not fetched: use jwks_file with HS256")


def _key_set(file: Path, algorithm: str) -> str:
    """The file's key set as JSON, every key marked with the algorithm."""
    try:
        keys = json.loads(file.read_text())["keys"]
    except OSError as error:
        raise IssuersError(f"{file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IssuersError(f"{file}: is not a JSON Web Key Set") from error
    if not isinstance(keys, list) or not keys:
        raise IssuersError(f"{file}: has no keys")
    for number, key in enumerate(keys, 1):
        if fault := _fault(key, algorithm):
            raise IssuersError(f"{file}: key {number} {fault}")
    return json.dumps({"keys": [{**key, "alg": algorithm} for key in keys]}, sort_keys=True)


def _fault(key: object, algorithm: str) -> str:
    """What is wrong with a key; empty if nothing is."""
    if not isinstance(key, dict):
        return "is not an object"
    family = FAMILIES[algorithm]
    if {member: key.get(member) for member in family} != family or key.get("alg", algorithm) != algorithm:
        return f"is not for {algorithm}"
    if family["kty"] != "oct" and "d" in key:
        return "is private: a key set for verification holds public keys"
    try:
        public = jwt.PyJWK(key, algorithm).key
    except jwt.PyJWTError as error:
        return f"cannot be read: {error}"
    if algorithm == "HS256" and len(public) < HMAC_KEY_BYTES_MIN:
        return f"is shorter than {HMAC_KEY_BYTES_MIN} bytes"
    if algorithm == "RS256" and public.key_size < RSA_KEY_BITS_MIN:
        return f"is shorter than {RSA_KEY_BITS_MIN} bits"
    return ""
