from google.protobuf.timestamp_pb2 import Timestamp

from scenemesh.quota.v1 import quota_pb2
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_edge import RESET, Script

FIRST = ["3", "2026-11-22 00:00", "chat", "-1", "charge", "plan", "3"]


async def test_the_ledger_is_a_table_a_page_long(command: Command) -> None:
    ran = await command("quota", "entries")
    assert (ran.code, rows(ran.out)) == (0, [FIRST])
    assert ran.err == "There are more: --all shows them.\n"


async def test_all_of_it_is_read_page_by_page(command: Command, script: Script) -> None:
    ran = await command("quota", "entries", "--all", "--json")
    assert [entry["name"] for entry in ran.json["entries"]] == ["users/alice/entries/3", "users/alice/entries/2"]
    assert ran.json["next_page_token"] == ""
    assert [(request.page_size, request.page_token) for request in script.requests] == [(100, ""), (100, "1")]


async def test_only_what_is_wanted_is_asked_for(command: Command, script: Script) -> None:
    wanted = (
        "--meter",
        "chat",
        "--source",
        "promo",
        "--since",
        "2026-11-22T00:00:00Z",
        "--until",
        "2026-11-22T01:00:00Z",
    )
    assert (await command("quota", "entries", *wanted, "--of", "bob")).code == 0
    since = int(RESET.timestamp())
    assert script.requests == [
        quota_pb2.ListEntriesRequest(
            parent="users/bob",
            meter="chat",
            source=quota_pb2.SOURCE_PROMO,
            start_time=Timestamp(seconds=since),
            end_time=Timestamp(seconds=since + 3600),
        )
    ]
