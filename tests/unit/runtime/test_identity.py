from datetime import timedelta

import pytest

from runtime.context import Caller, Role
from runtime.contract import Audience, Policy
from runtime.errors import MeshError, NotFound, PermissionDenied, Unauthenticated
from runtime.interceptors.identity import authorize

ANONYMOUS = Caller("edge")
ALICE = Caller("edge", "alice")
OPERATOR = Caller("edge", "olga", Role.OPERATOR)
DECLARED = Caller("chat")
UNDECLARED = Caller("billing")
PRETENDER = Caller("chat", "alice")


def _policy(audience: Audience, caller: str = "chat") -> Policy:
    return Policy(audience, frozenset({caller}), timedelta(seconds=1), None, "", None)


@pytest.mark.parametrize(
    ("audience", "admitted"),
    [
        (Audience.PUBLIC, [ANONYMOUS, ALICE, OPERATOR, DECLARED, UNDECLARED, PRETENDER]),
        (Audience.WEBHOOK, [ANONYMOUS, ALICE, OPERATOR, DECLARED, UNDECLARED, PRETENDER]),
        (Audience.USER, [ALICE, OPERATOR, DECLARED]),
        (Audience.OPERATOR, [OPERATOR, DECLARED]),
        (Audience.INTERNAL, [DECLARED]),
    ],
)
def test_an_audience_admits_exactly_those_it_names(audience: Audience, admitted: list[Caller]) -> None:
    callers = [ANONYMOUS, ALICE, OPERATOR, DECLARED, UNDECLARED, PRETENDER]
    assert [caller for caller in callers if _refusal(audience, caller) is None] == admitted


def test_a_person_without_a_token_is_told_to_sign_in() -> None:
    assert _refusal(Audience.USER, ANONYMOUS) is Unauthenticated
    assert _refusal(Audience.INTERNAL, ANONYMOUS) is PermissionDenied


def test_an_internal_method_that_names_the_edge_admits_it_for_itself_and_no_person_through_it() -> None:
    authorize(_policy(Audience.INTERNAL, "edge"), Caller("edge"))
    for person in (ALICE, OPERATOR):
        with pytest.raises(PermissionDenied):
            authorize(_policy(Audience.INTERNAL, "edge"), person)


def _refusal(audience: Audience, caller: Caller) -> type[MeshError] | None:
    try:
        authorize(_policy(audience), caller)
    except MeshError as error:
        return type(error)
    return None


def test_me_is_the_caller() -> None:
    assert ALICE.owner("me", reason="X") == ALICE.owner("alice", reason="X") == "alice"


def test_another_persons_resource_does_not_exist_even_for_an_operator() -> None:
    for caller in (ALICE, OPERATOR):
        with pytest.raises(NotFound):
            caller.owner("bob", reason="QUOTA_NOT_FOUND")


def test_a_sibling_names_the_user() -> None:
    assert DECLARED.owner("bob", reason="X") == "bob"
