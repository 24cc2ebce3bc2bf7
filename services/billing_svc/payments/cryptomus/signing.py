"""Cryptomus' signature: MD5 of the body in base64 with the key behind it.

What is signed of a webhook is its body without `sign`, written by PHP's `json_encode` with JSON_UNESCAPED_UNICODE; its
documentation shows it with slashes escaped, as that does by itself, and libraries exist that do not escape them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any


def sign(body: bytes, key: str) -> str:
    # Weak as it is, it is the provider's choice.
    return hashlib.md5(base64.b64encode(body) + key.encode(), usedforsecurity=False).hexdigest()


def signatures(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Those that are right for a webhook; none for a body that nobody can have written in UTF-8."""
    try:
        written = _written({name: value for name, value in body.items() if name != "sign"})
        return sign(written.replace("/", "\\/").encode(), key), sign(written.encode(), key)
    except (UnicodeEncodeError, RecursionError):
        return ()


def _written(value: Mapping[str, Any]) -> str:
    """As PHP writes it: two separators of lines stay escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
