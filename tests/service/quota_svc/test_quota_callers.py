"""Who may call what: each method, by every member of the mesh, by persons and by operators."""

from typing import Any

import grpc
import pytest

from tests.service.quota_svc.desk import Desk, operator, person, told
from tests.service.quota_svc.test_quota_faults import SOUND

PEOPLE = {"a person": person(), "an operator": operator()}
CALLERS = ("chat", "billing", "search", "mesh", "edge", *PEOPLE)

EVERY_PERSON = {"a person", "an operator"}
ALLOWED = {
    "GetQuota": EVERY_PERSON | {"chat", "billing"},
    "WatchQuota": EVERY_PERSON,
    "UpdateQuota": EVERY_PERSON,
    "ListEntries": EVERY_PERSON | {"billing"},
    "CheckAdmission": {"edge", "chat"},
    "Reserve": {"chat"},
    "ExtendHold": {"chat"},
    "Settle": {"chat"},
    "Release": {"chat"},
    "Grant": {"billing"},
    "Adjust": {"billing"},
    "SetPlan": {"billing"},
    "ListHolds": {"an operator"},
    "VoidHold": {"an operator"},
}
REFUSED = {("PERMISSION_DENIED", "CALLER_NOT_ALLOWED"), ("UNAUTHENTICATED", "NO_SUBJECT")}


async def admitted(desk: Desk, method: str, caller: str) -> bool:
    """Whether the caller gets past the door, whatever is answered there."""
    call: Any = getattr(desk.stub("edge" if caller in PEOPLE else caller), method)(
        SOUND[method][1], metadata=PEOPLE.get(caller, ())
    )
    try:
        await (call.read() if method == "WatchQuota" else call)
    except grpc.aio.AioRpcError as error:
        return told(error) not in REFUSED
    finally:
        call.cancel()
    return True


@pytest.mark.parametrize("method", ALLOWED)
async def test_a_method_is_for_those_whom_the_contract_names(desk: Desk, method: str) -> None:
    assert {caller for caller in CALLERS if await admitted(desk, method, caller)} == ALLOWED[method]


async def test_a_service_cannot_make_itself_a_person(desk: Desk) -> None:
    request: Any = SOUND["VoidHold"][1]
    for peer in ("chat", "search"):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await desk.stub(peer).VoidHold(request, metadata=operator())
        assert told(refusal.value) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
