"""The numbers of events, by the script that Envoy runs: wherever the pieces of a stream end, and whatever is said."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from mesh.resources.event_ids import SCRIPT
from tests.service.mesh import edge

FILTERS = "type.googleapis.com/envoy.extensions.filters"
MESSAGE = "conversations/6d0a3c1e-0000-4000-8000-000000000001/messages/6d0a3c1e-0000-4000-8000-000000000002"

# Gives the script the request's body in pieces of a size, as if they were an answer's, and answers with what it made.
DRIVER = """
function envoy_on_request(request)
  local body = request:body()
  local text = body:getBytes(0, body:length())
  local size = tonumber(request:headers():get("x-size"))
  local made, begin = {}, 1
  local function next_chunk()
    if begin > #text then
      return nil
    end
    local chunk = {bytes = text:sub(begin, begin + size - 1)}
    chunk.length = function() return #chunk.bytes end
    chunk.getBytes = function() return chunk.bytes end
    chunk.setBytes = function(_, bytes) table.insert(made, bytes) end
    begin = begin + size
    return chunk
  end
  local headers = {get = function() return request:headers():get("x-type") end}
  envoy_on_response({
    headers = function() return headers end,
    bodyChunks = function() return next_chunk end,
  })
  request:respond({[":status"] = "200"}, table.concat(made))
end
"""


def _event(number: int, **event: object) -> str:
    return f"data: {json.dumps({'message': MESSAGE, 'number': str(number), **event}, separators=(',', ':'))}\n\n"


def _bootstrap(admin_socket: Path) -> str:
    manager = {
        "@type": f"{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "script",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "any",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 500}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.lua",
                "typed_config": {
                    "@type": f"{FILTERS}.http.lua.v3.Lua",
                    "default_source_code": {"inline_string": SCRIPT + DRIVER},
                },
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{FILTERS}.http.router.v3.Router"},
            },
        ],
    }
    listener = {
        "name": "script",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    admin = {"address": {"pipe": {"path": str(admin_socket)}}}
    return json.dumps({"admin": admin, "static_resources": {"listeners": [listener]}})


class Script:
    """The script, in an Envoy of its own."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self._url = f"http://{address}/"
        self._session = session

    async def __call__(self, text: str, size: int, content_type: str = "text/event-stream") -> str:
        """What it makes of a text that comes in pieces of `size` bytes."""
        headers = {"x-size": str(size), "x-type": content_type}
        async with self._session.post(self._url, data=text.encode(), headers=headers) as response:
            assert response.status == 200
            return (await response.read()).decode()


@pytest.fixture(scope="module")
async def script(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Script]:
    directory = tmp_path_factory.mktemp("script")
    file = directory / "bootstrap.json"
    file.write_text(_bootstrap(directory / "admin.sock"))
    async with edge.running(directory, file) as envoy, aiohttp.ClientSession() as session:
        yield Script(envoy.address, session)


@pytest.mark.parametrize("size", [*range(1, 12), 17, 64, 200, 255, 256, 257, 1000, 100_000])
async def test_every_event_has_its_number_wherever_the_pieces_end(script: Script, size: int) -> None:
    events = [
        _event(1, started={"model": "echo"}),
        *(_event(number, delta={"text": f"word {number} "}) for number in range(2, 12)),
        _event(12, finished={"message": {"text": "word " * 200}}),
    ]
    numbered = [f"id: {number}\n{event}" for number, event in enumerate(events, 1)]
    assert await script("".join(events), size) == "".join(numbered)


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
async def test_an_event_without_a_place_of_its_own_has_the_id_of_the_one_before_it(script: Script, size: int) -> None:
    events = [_event(0, delayed={}), _event(1, started={}), _event(1, delayed={}), _event(2, delta={"text": "word"})]
    expected = "".join(f"id: {number}\n{event}" for number, event in zip((0, 1, 1, 2), events, strict=True))
    assert await script("".join(events), size) == expected


ODD = (
    '\n\ndata: {"message":"x","number":"7"}\n\n',
    'data: {"message":"x","number":"7"',
    "id: 7\r\n\r\n",
    "%1 %0 \\n \u2028 😀" * 30,
    '","number":"9"',
)


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
@pytest.mark.parametrize("said", ODD)
async def test_what_is_said_is_no_event(script: Script, said: str, size: int) -> None:
    event = _event(3, delta={"text": said})
    assert await script(event * 2, size) == f"id: 3\n{event}" * 2


@pytest.mark.parametrize("size", [1, 5, 100_000])
async def test_what_is_no_event_of_an_answer_passes_as_it_is(script: Script, size: int) -> None:
    failure = 'data: {"code":14,"message":"gone","details":[]}'
    for text in (failure, "data: {}\n\n", ": a comment\n\n", "\n\n\n"):
        assert await script(text, size) == text
    assert await script(_event(1) + failure, size) == f"id: 1\n{_event(1)}{failure}"


async def test_what_is_no_stream_of_events_is_not_touched(script: Script) -> None:
    assert await script(_event(1), 100, "application/json") == ""
