"""The turn as browsers take it: by @connectrpc/connect-web, and by the official grpc-web under a page's own CORS rules.

Their programs are in web/. Where Node is not installed, what needs it skips.
"""

import asyncio
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from google.protobuf import json_format

from scenemesh.chat.v1 import chat_pb2
from tests.e2e.clients import BUSY_CODES, Json, Rest, kind, said
from tests.e2e.stack import Stack

WEB = Path(__file__).parent / "web"
CLIENTS = ("connect", "grpc-web")
PAGE = "http://localhost:5173"
FOREIGN_PAGE = "https://elsewhere.example"
TEXT = "Who are you?"
AFTER = 3
TURN_SECONDS_MAX = 120
# How often a turn is taken that a busy machine refuses.
TURNS_MAX = 5
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
DECISION = "type.googleapis.com/scenemesh.quota.v1.Decision"


@pytest.fixture(scope="session")
def compiler() -> Path:
    """The TypeScript compiler; with it everything else that web/ needs is installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed: the browser clients were not tried")
    _run("make", "--directory", str(WEB.parents[2]), "--no-print-directory", "setup-web")
    return WEB / "node_modules" / ".bin" / "tsc"


@pytest.fixture(scope="session")
def programs(compiler: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled programs."""
    out = tmp_path_factory.mktemp("web")
    _run(str(compiler), "--project", str(WEB), "--outDir", str(out))
    (out / "node_modules").symlink_to(WEB / "node_modules")
    shutil.copy(WEB / "package.json", out)
    return out / WEB.relative_to(WEB.parents[2])


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"


@dataclass(frozen=True)
class Turn:
    """The messages that a client got, by step, and how it was refused, if it was."""

    steps: dict[str, list[Json]]
    refused: Json | None

    @property
    def found_it_busy(self) -> bool:
        return self.refused is not None and self.refused["code"].lower() in BUSY_CODES


async def _turn(programs: Path, client: str, url: str, token: str, page: str = PAGE) -> Turn:
    process = await asyncio.create_subprocess_exec(
        *("node", str(programs / f"{client}-turn.js"), TEXT, str(AFTER)),
        env={**os.environ, "EDGE_URL": url, "EDGE_TOKEN": token, "PAGE_ORIGIN": page},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TURN_SECONDS_MAX):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    steps: dict[str, list[Json]] = {}
    for line in map(json.loads, out.decode().splitlines()):
        steps.setdefault(line["step"], []).append(line["content"])
    (refused,) = steps.pop("refused", [None])
    return Turn(steps, refused)


def test_the_generated_typescript_passes_the_strict_compiler(compiler: Path) -> None:
    _run(str(compiler), "--project", str(WEB), "--noEmit")


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_browser_sees_the_events_that_sse_sends(stack: Stack, programs: Path, client: str) -> None:
    for number in range(TURNS_MAX):
        token = stack.token(user=f"web-{client}-{number}")
        rest = Rest(stack.url, token)
        over_sse = await rest.turn(await rest.conversation(), TEXT)
        turn = await _turn(programs, client, stack.url, token)
        if not turn.found_it_busy:
            break
    assert turn.refused is None
    assert turn.steps["suggested"][0]["suggestions"][0]["name"] == "characters/sherlock-holmes"
    sent, watched = turn.steps["sent"], turn.steps["watched"]
    assert _shape(sent) == _shape(over_sse)
    assert [event["number"] for event in sent] == [str(number) for number in range(1, len(sent) + 1)]
    assert [kind(event) for event in sent] == ["started", *["delta"] * (len(sent) - 2), "finished"]
    assert sent[-1]["finished"]["message"]["text"] == said(sent) == said(over_sse) != ""
    assert watched == sent[AFTER:] != []

    again = await rest.log("GET", f"/v1/{sent[0]['message']}:watch")
    assert _messages(again) == _messages(sent)
    (chat,) = (meter for meter in turn.steps["quota"][0]["meters"] if meter["meter"] == "chat")
    # What is held counts as well, where a busy machine has not settled it yet.
    assert (int(chat["used"]) + int(chat.get("held", 0)), chat["remaining"]) == (2, "3")


def _shape(events: list[Json]) -> list[tuple[str, str, str]]:
    """Number, kind and text of each event: what is the same in every turn."""
    return [(event["number"], kind(event), event.get("delta", {}).get("text", "")) for event in events]


def _messages(events: list[Json]) -> list[chat_pb2.ChatEvent]:
    """The events without what JSON may leave out or say: REST spells out zeros."""
    return [json_format.ParseDict(event, chat_pb2.ChatEvent()) for event in events]


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_empty_meter_is_resource_exhausted_with_its_details(stack: Stack, programs: Path, client: str) -> None:
    token = stack.token(user=f"web-spent-{client}")
    rest = Rest(stack.url, token)
    conversation = await rest.conversation()
    for _ in range(5):
        assert kind((await rest.turn(conversation, TEXT))[-1]) == "finished"

    asked = await stack.provider.requests()
    for _ in range(TURNS_MAX):
        turn = await _turn(programs, client, stack.url, token)
        if not turn.found_it_busy:
            break
    assert await stack.provider.requests() == asked
    assert list(turn.steps) == ["suggested", "opened"]
    assert turn.refused is not None
    assert turn.refused["code"] == "RESOURCE_EXHAUSTED"
    details = {detail["@type"]: detail for detail in turn.refused["details"]}
    assert (details[ERROR_INFO]["reason"], details[ERROR_INFO]["domain"]) == ("QUOTA_EXHAUSTED", "scenemesh")
    (violation,) = details[QUOTA_FAILURE]["violations"]
    assert violation["subject"] == f"users/web-spent-{client}/meters/chat"
    assert (details[DECISION]["outcome"], details[DECISION]["reason"]) == ("OUTCOME_REFUSED", "REASON_LIMIT_REACHED")


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_bad_token_is_unauthenticated(stack: Stack, programs: Path, client: str) -> None:
    header, claims, signature = stack.token(user=f"web-forger-{client}").split(".")
    turn = await _turn(programs, client, stack.url, f"{header}.{claims}.{signature[::-1]}")
    assert turn.refused is not None
    assert (turn.steps, turn.refused["code"]) == ({}, "UNAUTHENTICATED")


async def test_a_page_from_elsewhere_reads_nothing(stack: Stack, programs: Path) -> None:
    turn = await _turn(programs, "grpc-web", stack.url, stack.token(user="web-stranger"), page=FOREIGN_PAGE)
    assert turn.refused is not None
    # A page is not told why: to it the call had no status at all.
    assert (turn.steps, turn.refused["code"]) == ({}, "UNKNOWN")


@pytest.mark.parametrize(("page", "allowed"), [(PAGE, PAGE), (FOREIGN_PAGE, None)])
@pytest.mark.parametrize(
    "path", ["/scenemesh.chat.v1.ChatService/SendMessage", "/v1/conversations", "/v1/users/me/quota"]
)
async def test_a_preflight_passes_from_allowed_pages_alone(
    stack: Stack, page: str, allowed: str | None, path: str
) -> None:
    asks = {
        "origin": page,
        "access-control-request-method": "GET" if path.endswith("quota") else "POST",
        "access-control-request-headers": "authorization,content-type,x-grpc-web,x-user-agent,grpc-timeout",
    }
    async with aiohttp.ClientSession() as session, session.options(stack.url + path, headers=asks) as response:
        # Without this one header a browser sends nothing, whatever the others say.
        assert (response.status, response.headers.get("access-control-allow-origin")) == (200, allowed)
        offered = response.headers["access-control-allow-headers"].replace(" ", "").split(",")
        assert set(asks["access-control-request-headers"].split(",")) <= set(offered)
