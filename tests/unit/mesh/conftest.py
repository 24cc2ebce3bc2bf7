"""One topology of the real contract."""

import pytest

from mesh.topology import Address, Issuer, Topology
from runtime.contract import Contract, descriptor_set_path


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer("local", "https://issuer.scenemesh.local", "scenemesh", "ES256", "role", '{"keys": []}', None)


@pytest.fixture(scope="session")
def topology(issuer: Issuer) -> Topology:
    return Topology(
        methods=tuple(Contract.load(descriptor_set_path())),
        descriptor_set=b"",
        issuers=(issuer,),
        edge_listen=Address("127.0.0.1", 8080),
        cors_origins=("http://localhost:5173",),
        trust_domain="scenemesh.local",
        endpoints={"chat": frozenset({Address("127.0.0.1", 4002), Address("127.0.0.1", 4001)})},
    )
