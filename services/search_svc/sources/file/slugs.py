"""Ids made of names: readable, the same in every import, and different for different names."""

import hashlib
import re
from functools import lru_cache

from services.search_svc.terms import normal

# With a collection of 60 characters and a digest, what the contract takes as a resource name.
LENGTH_MAX = 55
# 48 bits: the same name in a hundred thousand titles does not meet itself.
DIGEST_BYTES = 6


@lru_cache(maxsize=20_000)
def slug(text: str) -> str:
    """Lower-case ASCII words with hyphens; a digest stands for what they cannot say. Empty for a text without words."""
    words = normal(text)
    plain = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
    if len(plain) <= LENGTH_MAX and plain.replace("-", " ") == words:
        return plain
    return "-".join(part for part in (shortened(plain, LENGTH_MAX - 2 * DIGEST_BYTES - 1), digest(words)) if part)


def shortened(plain: str, length_max: int) -> str:
    """The beginning of a slug, itself one."""
    return plain[:length_max].rstrip("-")


def digest(*parts: str) -> str:
    """Twelve hexadecimal digits that only these parts have."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=DIGEST_BYTES).hexdigest()
