"""Who calls, by the client certificate and the edge's headers, and whether the contract lets them.

Identity headers count only from the edge, which verified the token that they come from. A sibling speaks for itself,
and so does the edge in a call without them; what names it among its callers must have no route from outside.
"""

import re

from runtime.context import CALLER, EDGE, Caller, Role
from runtime.contract import Audience, Policy
from runtime.errors import PermissionDenied, Unauthenticated
from runtime.interceptors.call import Call

USER_HEADER = "x-user-id"
ROLE_HEADER = "x-user-role"
USER_PATTERN = re.compile(r"[A-Za-z0-9._|@:+~-]{1,128}")


def identity(call: Call) -> None:
    caller = _caller(call, _peer(call))
    if call.method is not None:
        authorize(call.method.policy, caller)
    CALLER.set(caller)


def authorize(policy: Policy, caller: Caller) -> None:
    """Raises unless the policy admits the caller."""
    if caller.user is None and caller.peer in policy.callers:
        return
    match policy.audience:
        case Audience.PUBLIC | Audience.WEBHOOK:
            return
        case Audience.USER | Audience.OPERATOR if caller.peer == EDGE:
            caller.person()
            if policy.audience is Audience.USER or caller.is_operator:
                return
    raise PermissionDenied("This caller may not call this method.", reason="CALLER_NOT_ALLOWED")


def _peer(call: Call) -> str:
    """The mesh name in the peer's certificate: `spiffe://<trust domain>/chat` is `chat`."""
    ids = call.context.auth_context().get("peer_spiffe_id", [])
    prefix = f"spiffe://{call.trust_domain}/".encode()
    for spiffe_id in ids:
        if spiffe_id.startswith(prefix):
            return str(spiffe_id.removeprefix(prefix).decode())
    raise Unauthenticated("Calls inside the mesh need a certificate of the mesh.", reason="NO_MESH_IDENTITY")


def _caller(call: Call, peer: str) -> Caller:
    user = call.metadata.get(USER_HEADER) if peer == EDGE else None
    if user is None:
        return Caller(peer)
    if not USER_PATTERN.fullmatch(user):
        raise Unauthenticated("The token's subject is not one that we accept.", reason="BAD_SUBJECT")
    operator = call.metadata.get(ROLE_HEADER) == Role.OPERATOR.value
    return Caller(peer, user, Role.OPERATOR if operator else Role.USER)
