"""The local issuer's key, the certificates of the mesh's members, and what the pretend Stripe signs with."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cli.local.failure import Failure
from cli.local.process import Launch, completed
from cli.local.state import State

ISSUER = "https://issuer.scenemesh.local"
AUDIENCE = "scenemesh"
KEY_ID = "local"
MEMBERS = ("edge", "mesh", "chat", "search", "quota", "billing")

LOCAL = f"""\
[[issuer]]
name = "local"
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
algorithm = "ES256"
jwks_file = "issuer.jwks.json"
"""


def issuer(state: State) -> None:
    """Makes the local issuer's key and tells of it, unless they are there."""
    private = state.keys / "issuer.pem"
    if not private.exists():
        _create(private, state.keys / "issuer.jwks.json")
    state.issuers.write_text(LOCAL)


def _create(private: Path, public: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    published = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    public.write_text(json.dumps({"keys": [{**published, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # Last: where the private key is, the rest is.
    _write(private, pem)


def _write(target: Path, content: bytes) -> None:
    """Writes a file that is for its owner alone, in one step."""
    new = target.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    new.replace(target)


def webhook_secret(state: State) -> str:
    """What the pretend Stripe signs its webhooks with; made once."""
    file = state.keys / "stripe.whsec"
    if not file.exists():
        _write(file, f"whsec_{secrets.token_urlsafe(32)}".encode())
    return file.read_text()


async def certificates(state: State, environment: Mapping[str, str]) -> None:
    """Gives every member of the mesh a new certificate of the local authority."""
    command = (sys.executable, "-m", "mesh.certificates", "--directory", str(state.certificates), *MEMBERS)
    log = state.log("certificates")
    if await completed(Launch(command, environment), log=log, text="") != 0:
        raise Failure(f"The certificates could not be made: see {log}.")
