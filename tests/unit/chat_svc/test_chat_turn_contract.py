"""What the contract says of turns, whichever of its RPCs begins them."""

import pytest

from runtime.contract import Binding, Contract, descriptor_set_path

METHODS = {method.name: method for method in Contract.load(descriptor_set_path()) if method.cluster == "chat"}


@pytest.mark.parametrize("rpc", ["RegenerateMessage", "RewriteMessage"])
def test_every_turn_is_admitted_and_limited_as_a_message_that_is_sent(rpc: str) -> None:
    sent = METHODS["SendMessage"].policy
    assert (METHODS[rpc].policy, sent.meter) == (sent, "chat")


@pytest.mark.parametrize(("rpc", "verb"), [("RegenerateMessage", "regenerate"), ("RewriteMessage", "rewrite")])
def test_a_turn_beside_an_earlier_one_has_a_route_of_its_own(rpc: str, verb: str) -> None:
    path = f"/v1/{{name=conversations/*/messages/*}}:{verb}"
    assert METHODS[rpc].bindings == (Binding("POST", path, "*"),)
