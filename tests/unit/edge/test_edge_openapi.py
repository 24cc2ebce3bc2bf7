"""The document of the contract as it stands, looked at as its readers do."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from edge.openapi.document import as_yaml, document
from runtime.contract import Audience, Contract, descriptor_set_path

Json = dict[str, Any]


@pytest.fixture(scope="module")
def described() -> Json:
    return document(descriptor_set_path())


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(descriptor_set_path())


def _operations(described: Json) -> dict[str, Json]:
    return {
        operation["operationId"]: operation for verbs in described["paths"].values() for operation in verbs.values()
    }


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for one in node:
            yield from _references(one)


def test_every_method_with_a_binding_is_there_and_no_other(described: Json, contract: Contract) -> None:
    bound = {f"{method.service.rpartition('.')[2]}_{method.name}" for method in contract if method.bindings}
    assert set(_operations(described)) == bound


def test_every_reference_leads_somewhere_and_every_component_is_used(described: Json) -> None:
    components = {
        f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in described["components"][kind]
    }
    referred = set(_references(described))
    assert referred <= components
    assert {one for one in components if "/schemas/" in one} <= referred


def test_every_part_of_a_path_is_a_parameter(described: Json) -> None:
    for path, verbs in described["paths"].items():
        parts = [part.partition("}")[0] for part in path.split("{")[1:]]
        for operation in verbs.values():
            assert [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"] == parts
            assert len(set(parts)) == len(parts)


def test_the_errors_of_an_operation_follow_its_policy(described: Json, contract: Contract) -> None:
    operations = _operations(described)
    for method in contract:
        if method.bindings:
            operation = operations[f"{method.service.rpartition('.')[2]}_{method.name}"]
            answers = operation["responses"]
            assert {"200", "400", "401", "503"} <= set(answers)
            assert ("402" in answers) == bool(method.policy.meter)
            assert ("403" in answers) == (method.policy.audience is Audience.OPERATOR)
            assert ("429" in answers) == (method.policy.rate_limit is not None)
            assert ({} in operation["security"]) == (method.policy.audience is Audience.PUBLIC)


def test_a_webhook_takes_any_body_and_its_proof_is_no_token(described: Json, contract: Contract) -> None:
    received = [method for method in contract if method.policy.audience is Audience.WEBHOOK]
    assert len(received) == 4
    for method in received:
        operation = described["paths"][method.bindings[0].path]["post"]
        body = {"*/*": {"schema": {"description": "The request's body, byte for byte."}}}
        assert (operation["security"], operation["requestBody"]) == ([], {"required": True, "content": body})
        assert "parameters" not in operation
        assert operation["responses"] == {
            "200": {"description": "It is done.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "400": {"$ref": "#/components/responses/BadRequest"},
            "401": {"$ref": "#/components/responses/BadSignature"},
            "503": {"$ref": "#/components/responses/Unavailable"},
        }


def test_what_stands_for_itself_has_no_schema(described: Json) -> None:
    schemas = set(described["components"]["schemas"])
    assert not schemas & {"google.api.HttpBody", "google.protobuf.Empty", "google.protobuf.Timestamp"}


def test_a_file_is_answered_as_its_bytes_and_not_as_json(described: Json, contract: Contract) -> None:
    given = [method for method in contract if method.descriptor.output_type.full_name == "google.api.HttpBody"]
    assert [method.name for method in given if method.bindings] == ["ExportConversation", "GetMedia", "Speak"]
    operations = _operations(described)
    for method in given:
        answer = operations[f"{method.service.rpartition('.')[2]}_{method.name}"]["responses"]["200"]
        assert answer == {"description": "The bytes, with their content type.", "content": {"*/*": {"schema": {}}}}


def test_a_list_takes_its_page_from_the_query(described: Json) -> None:
    listed = described["paths"]["/v1/conversations/{conversation}/messages"]["get"]
    assert [(one["in"], one["name"], one["schema"]) for one in listed["parameters"]] == [
        (
            "path",
            "conversation",
            {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
        ),
        ("query", "page_size", {"type": "integer", "format": "int32", "minimum": 0, "maximum": 100}),
        ("query", "page_token", {"type": "string", "maxLength": 500}),
        ("query", "all_branches", {"type": "boolean"}),
        ("query", "pinned", {"type": "boolean"}),
    ]


def test_a_body_leaves_out_what_the_path_says(described: Json) -> None:
    sent = described["paths"]["/v1/conversations/{conversation}/messages:send"]["post"]
    body = sent["requestBody"]["content"]["application/json"]["schema"]
    fields = ["text", "request_id", "choice", "explain", "media", "after", "speakers"]
    assert (list(body["properties"]), body["required"]) == (fields, ["text"])
    text = {key: body["properties"]["text"][key] for key in ("type", "minLength", "maxLength")}
    assert text == {"type": "string", "minLength": 1, "maxLength": 8000}


def test_a_stream_is_server_sent_events_of_its_message(described: Json) -> None:
    sent = described["paths"]["/v1/conversations/{conversation}/messages:send"]["post"]
    assert sent["responses"]["200"]["content"] == {
        "text/event-stream": {"schema": {"$ref": "#/components/schemas/chat.v1.ChatEvent"}}
    }


def test_a_message_is_said_in_the_words_of_the_contract(described: Json) -> None:
    event = described["components"]["schemas"]["chat.v1.ChatEvent"]
    assert event["properties"]["number"] == {
        "type": "string",
        "format": "int64",
        "pattern": r"^-?\d+$",
        "description": (
            "Its place in the log: 1, 2, 3 … without gaps. Give the last one seen as `after` to go on from there. "
            "Over REST also the event's `id:`. That of a `delayed`, which has no place of its own, is the number of "
            "the event before it."
        ),
    }
    kinds = [[kind] for kind in ("started", "delta", "finished", "failed", "seam", "delayed")]
    assert [choice.get("required") for choice in event["allOf"][0]["oneOf"]] == [*kinds, None]
    conversation = described["components"]["schemas"]["chat.v1.Conversation"]
    assert (conversation["required"], conversation["properties"]["create_time"]) == (
        ["character"],
        {"type": "string", "format": "date-time", "description": "When it was opened.", "readOnly": True},
    )


def test_a_list_of_values_says_which_are_refused(described: Json) -> None:
    parameters = described["paths"]["/v1/suggest"]["get"]["parameters"]
    assert next(one["schema"] for one in parameters if one["name"] == "kinds") == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/search.v1.Kind", "not": {"enum": ["KIND_UNSPECIFIED"]}},
        "maxItems": 10,
    }


def test_the_same_contract_gives_the_same_text(described: Json) -> None:
    text = as_yaml(document(descriptor_set_path()))
    assert (text, yaml.safe_load(text)) == (as_yaml(described), described)
    assert "&id" not in text
