import jwt

from runtime.errors import Internal, PermissionDenied, Unauthenticated
from tests.service.cli.conftest import Command
from tests.service.cli.fake_edge import Script


def subject(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


async def test_what_is_left_is_a_table(command: Command) -> None:
    ran = await command("quota")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ran.out.splitlines() if "│" in line]
    assert ran.code == 0
    assert "alice: free" in ran.out
    assert rows == [
        ["chat", "4", "1", "0", "5", "0", "2026-11-22 00:00"],
        ["voice", "unlimited", "0", "0", "none", "0", "never"],
    ]


async def test_what_is_left_is_json_for_programs(command: Command) -> None:
    told = (await command("quota", "--json")).json
    assert (told["name"], told["plan"], told["meters"][0]["remaining"]) == ("users/alice/quota", "plans/free", "4")


async def test_the_local_issuer_says_who_asks(command: Command, script: Script) -> None:
    await command("quota")
    await command("quota", "--user", "bob")
    assert [subject(token) for token in script.tokens] == ["alice", "bob"]


async def test_a_token_of_ones_own_is_shown_as_it_is(command: Command, script: Script) -> None:
    await command("quota", SCENEMESH_TOKEN="a.b.c")
    assert script.tokens == ["a.b.c"]


async def test_who_is_not_let_in_is_refused(command: Command, script: Script) -> None:
    script.refusal = Unauthenticated("Jwt is expired", reason="UNAUTHENTICATED")
    unknown = await command("quota")
    script.refusal = PermissionDenied("Operators only.", reason="CALLER_NOT_ALLOWED")
    forbidden = await command("quota")
    assert [(ran.code, ran.err.splitlines()[0]) for ran in (unknown, forbidden)] == [
        (4, "scenemesh: Jwt is expired"),
        (4, "scenemesh: Operators only."),
    ]


async def test_a_defect_of_theirs_is_told_with_its_request_id(command: Command, script: Script) -> None:
    script.refusal = Internal("the secret detail", reason="INTERNAL")
    ran = await command("quota", "--json")
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["request_id"]) == (1, "INTERNAL", "request-1")
