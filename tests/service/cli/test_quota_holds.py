import jwt

from runtime.errors import FailedPrecondition
from scenemesh.quota.v1 import quota_pb2
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_edge import HOLD, Script

WIDE = {"COLUMNS": "160"}


async def test_an_operator_sees_a_users_holds(command: Command, script: Script) -> None:
    ran = await command("quota", "holds", "bob", "--only", "held", **WIDE)
    assert (ran.code, ran.err) == (0, "")
    assert rows(ran.out) == [[HOLD.name, "held", "1 chat", "", "2026-11-22 00:00", "2026-11-22 00:10", ""]]
    assert script.requests == [quota_pb2.ListHoldsRequest(parent="users/bob", state=quota_pb2.HOLD_STATE_HELD)]
    assert jwt.decode(script.tokens[0], options={"verify_signature": False})["role"] == "operator"


async def test_an_operator_gives_a_hold_back_and_says_why(command: Command, script: Script) -> None:
    ran = await command("quota", "void", HOLD.name, "--reason", "stuck", **WIDE)
    assert rows(ran.out) == [
        [HOLD.name, "voided", "1 chat", "", "2026-11-22 00:00", "2026-11-22 00:00", "users/olga: stuck"]
    ]
    assert script.requests == [quota_pb2.VoidHoldRequest(name=HOLD.name, reason="stuck")]
    assert jwt.decode(script.tokens[0], options={"verify_signature": False})["role"] == "operator"


async def test_both_are_json_for_programs(command: Command) -> None:
    listed = await command("quota", "holds", "users/bob", "--all", "--json")
    voided = await command("quota", "void", HOLD.name, "--reason", "stuck", "--json")
    assert [hold["name"] for hold in listed.json["holds"]] == [HOLD.name]
    assert (voided.json["state"], voided.json["void_reason"]) == ("HOLD_STATE_VOIDED", "stuck")


async def test_a_hold_that_is_over_cannot_be_given_back(command: Command, script: Script) -> None:
    script.refusal = FailedPrecondition("It was settled.", reason="HOLD_RESOLVED")
    ran = await command("quota", "void", HOLD.name, "--reason", "stuck")
    assert (ran.code, ran.err) == (1, "scenemesh: It was settled.\n")
