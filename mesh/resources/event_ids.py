"""The `id:` of every Server-Sent Event of an answer: its number, which a client sends back as `Last-Event-ID`.

The transcoder writes `data:` lines alone. What it writes passes here, and before each line that begins as an answer's
event does, its number is put.
"""

from collections.abc import Iterator

from envoy_data_plane.envoy.config.core.v3 import DataSource
from envoy_data_plane.envoy.extensions.filters.http.lua.v3 import Lua, LuaPerRoute
from envoy_data_plane.google.protobuf import Any

from mesh.resources.resource import packed
from runtime.contract import Method

FILTER = "envoy.filters.http.lua"
NAME = "event_ids"

# A line break inside of a JSON string is escaped, so nothing that anybody says begins a line. What has come of a line
# is kept back only as long as nobody can tell whether a number will stand in it.
SCRIPT = r"""
local BEGINNING = 'data: {"message":"'
local EVENT = '^' .. BEGINNING .. '[^"]*","number":"(%d+)"'
local EVENTS = '\n' .. EVENT:sub(2)
local BEGINNING_BYTES_MAX = 256

local function undecided(line)
  return #line < BEGINNING_BYTES_MAX
    and line:sub(1, #BEGINNING) == BEGINNING:sub(1, #line)
    and not line:find(EVENT)
end

function envoy_on_response(response)
  if response:headers():get("content-type") ~= "text/event-stream" then
    return
  end
  local before = "\n"
  for chunk in response:bodyChunks() do
    local bytes = chunk:getBytes(0, chunk:length())
    local number = before == "\n" and bytes:find("\n\n", 1, true) == #bytes - 1 and bytes:match(EVENT)
    if number then
      -- Nearly always: one event, and whole.
      chunk:setBytes("id: " .. number .. "\n" .. bytes)
    else
      local text = before .. bytes
      local passing, line = text, text:match("\n([^\n]*)$")
      local passed = before == "" and 1 or 2
      before = ""
      if line and undecided(line) then
        before, passing = "\n" .. line, text:sub(1, #text - #line)
      end
      chunk:setBytes((passing:gsub(EVENTS, "\nid: %1%0")):sub(passed))
    end
  end
end
"""


def numbering() -> Lua:
    """The filter, which does nothing where a route does not say so."""
    return Lua(source_codes={NAME: DataSource(inline_string=SCRIPT)})


def numbered(method: Method) -> Iterator[tuple[str, Any]]:
    """For a REST route whose answer is a stream of numbered events."""
    if method.response_streaming and "number" in method.descriptor.output_type.fields_by_name:
        yield FILTER, packed(LuaPerRoute(name=NAME))
