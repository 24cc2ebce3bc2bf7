import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mesh.issuers import IssuersError, load
from mesh.topology import Issuer

EC_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True)
PRIVATE: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY, as_dict=True)
P384 = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
RSA = jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True)


def secret(size_bytes: int) -> dict[str, str]:
    return {"kty": "oct", "k": base64.urlsafe_b64encode(b"k" * size_bytes).decode().rstrip("=")}


def written(directory: Path, keys: object, **changes: str) -> Path:
    """An issuers file with one issuer; a change to "" leaves the line out."""
    (directory / "keys.json").write_text(keys if isinstance(keys, str) else json.dumps({"keys": keys}))
    entry = {"name": "local", "issuer": "https://i", "audience": "a", "algorithm": "ES256", "jwks_file": "keys.json"}
    lines = [f'{key} = "{value}"' for key, value in (entry | changes).items() if value]
    file = directory / "issuers.toml"
    file.write_text("\n".join(["[[issuer]]", *lines, ""]))
    return file


def test_every_key_is_marked_with_the_one_algorithm(tmp_path: Path) -> None:
    marked = json.dumps({"keys": [{**PUBLIC, "alg": "ES256"}]}, sort_keys=True)
    assert load(written(tmp_path, [PUBLIC])) == (Issuer("local", "https://i", "a", "ES256", "role", marked, None),)


@pytest.mark.parametrize(("algorithm", "key"), [("ES256", PUBLIC), ("RS256", RSA), ("HS256", secret(32))])
def test_each_algorithm_has_its_keys(tmp_path: Path, algorithm: str, key: dict[str, str]) -> None:
    (issuer,) = load(written(tmp_path, [key], algorithm=algorithm))
    assert issuer.algorithm == algorithm


@pytest.mark.parametrize(
    ("keys", "changes", "fault"),
    [
        ([secret(32)], {}, "key 1 is not for ES256"),
        ([PUBLIC, secret(32)], {}, "key 2 is not for ES256"),
        ([PUBLIC, RSA], {}, "key 2 is not for ES256"),
        ([P384], {}, "key 1 is not for ES256"),
        ([PUBLIC], {"algorithm": "HS256"}, "key 1 is not for HS256"),
        ([{**PUBLIC, "alg": "ES384"}], {}, "key 1 is not for ES256"),
        ([PRIVATE], {}, "key 1 is private: a key set for verification holds public keys"),
        ([secret(31)], {"algorithm": "HS256"}, "key 1 is shorter than 32 bytes"),
        ([{**PUBLIC, "x": "AA"}], {}, "key 1 cannot be read"),
        ([7], {}, "key 1 is not an object"),
        ([], {}, "has no keys"),
        ("nonsense", {}, "is not a JSON Web Key Set"),
        ([PUBLIC], {"jwks_file": "gone.json"}, "gone.json: No such file or directory"),
        ([PUBLIC], {"jwks_file": ""}, "needs exactly one of jwks_file and jwks_uri"),
        ([PUBLIC], {"jwks_uri": "https://i/keys"}, "needs exactly one of jwks_file and jwks_uri"),
        ([PUBLIC], {"jwks_file": "", "jwks_uri": "http://i/keys"}, "jwks_uri must be an https URL"),
        (
            [PUBLIC],
            {"jwks_file": "", "jwks_uri": "https://i/keys", "algorithm": "HS256"},
            "a shared secret is not fetched",
        ),
        ([PUBLIC], {"algorithm": "none"}, "issuer.0.algorithm: Input should be 'HS256', 'RS256' or 'ES256'"),
        ([PUBLIC], {"typo": "x"}, "issuer.0.typo: Extra inputs are not permitted"),
    ],
)
def test_what_would_be_trusted_too_far_is_refused(
    tmp_path: Path, keys: object, changes: dict[str, str], fault: str
) -> None:
    with pytest.raises(IssuersError) as caught:
        load(written(tmp_path, keys, **changes))
    assert fault in str(caught.value)


def test_a_remote_key_set_is_left_to_envoy(tmp_path: Path) -> None:
    (issuer,) = load(written(tmp_path, [], jwks_file="", jwks_uri="https://i/keys", role_claim="scope"))
    assert (issuer.jwks, issuer.jwks_uri, issuer.role_claim) == (None, "https://i/keys", "scope")


def test_a_name_stands_once(tmp_path: Path) -> None:
    file = written(tmp_path, [PUBLIC])
    file.write_text(file.read_text() * 2)
    with pytest.raises(IssuersError, match="issuer local stands twice"):
        load(file)


def test_a_file_without_issuers_or_without_sense_is_refused(tmp_path: Path) -> None:
    for content in ("issuer = []", "= nonsense"):
        (tmp_path / "issuers.toml").write_text(content)
        with pytest.raises(IssuersError, match=r"issuers\.toml"):
            load(tmp_path / "issuers.toml")
