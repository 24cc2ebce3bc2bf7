"""The local issuer: signs tokens with the key that `scenemesh up` keeps in the state folder."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import jwt

from cli.failures import ExitCode, Failure

ISSUER = "https://issuer.scenemesh.local"
AUDIENCE = "scenemesh"
ALGORITHM = "ES256"
LIFETIME_MAX = timedelta(days=30)
# A duration of more digits is longer than what can be counted.
DIGITS_MAX = 9

USER_DEFAULT = "alice"
# What the services accept as the name of a user.
USER = re.compile(r"[A-Za-z0-9._|@:+~-]{1,128}")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Role(StrEnum):
    USER = "user"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Issuer:
    """The key of a state folder, and the id under which the edge knows it."""

    key: bytes = field(repr=False)
    key_id: str

    def token(self, user: str, role: Role, now: datetime, lifetime: timedelta) -> str:
        """A token that says that its bearer is `user`. A lifetime below zero gives one that has expired."""
        if not USER.fullmatch(user):
            raise _usage(f"{user!r} cannot be a user: 1 to 128 letters, digits and . _ | @ : + ~ -")
        if lifetime > LIFETIME_MAX:
            raise _usage(f"A token lives at most {LIFETIME_MAX.days} days.")
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user, "role": role.value, "iat": now, "exp": now + lifetime}
        try:
            return jwt.encode(claims, self.key, ALGORITHM, headers={"kid": self.key_id})
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Failure("The local issuer's key cannot sign; see keys/issuer.pem in the state folder.") from error


def known(state: Path) -> bool:
    """Whether there is a local issuer in a state folder."""
    return (state / "keys" / "issuer.pem").exists()


def read(state: Path) -> Issuer:
    """The local issuer of a state folder."""
    key, key_set = state / "keys" / "issuer.pem", state / "keys" / "issuer.jwks.json"
    try:
        return Issuer(key.read_bytes(), str(json.loads(key_set.read_text())["keys"][0]["kid"]))
    except FileNotFoundError as error:
        message = f"There is no local issuer in {state}."
        hint = "`scenemesh up` makes one; --state names another folder."
        raise Failure(message, ExitCode.NOT_RUNNING, "NOT_RUNNING", hint=hint) from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Failure(f"The local issuer in {state} cannot be read: {error}") from error


def lifetime(text: str) -> timedelta:
    """`90s`, `15m`, `1h`, `30d`: a second at least."""
    match = re.fullmatch(r"(-?)([0-9]+)([smhd])", text)
    if match is None:
        raise _usage(f"{text[:40]!r} is not a duration such as 90s, 15m, 1h or 30d.")
    sign, amount, unit = match.group(1), match.group(2).lstrip("0"), match.group(3)
    if sign or not amount:
        raise _usage("A token lives for a second at least: --expires 1s.")
    return timedelta(**{UNITS[unit]: int(amount)}) if len(amount) <= DIGITS_MAX else timedelta.max


def _usage(message: str) -> Failure:
    return Failure(message, ExitCode.USAGE, "INVALID_ARGUMENT")
