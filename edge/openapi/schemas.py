"""Messages and enums as JSON Schema, for the JSON that the edge speaks.

Fields keep their original names; 64-bit integers, times and enum values are strings.
"""

from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from edge.openapi import rules
from edge.openapi.comments import Comments
from edge.openapi.rules import Json
from runtime.contract import PACKAGE_ROOT

INTEGER_PATTERN = r"^-?\d+$"
INT32: Json = {"type": "integer", "format": "int32"}
UINT32: Json = {"type": "integer", "format": "uint32", "minimum": 0}
INT64: Json = {"type": "string", "format": "int64", "pattern": INTEGER_PATTERN}
UINT64: Json = {"type": "string", "format": "uint64", "pattern": INTEGER_PATTERN}

SCALARS: dict[int, Json] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    **dict.fromkeys((FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32), INT32),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32), UINT32),
    **dict.fromkeys((FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_SFIXED64), INT64),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64), UINT64),
}

EMPTY = "google.protobuf.Empty"
# A body that is taken, or given, as it is: no JSON, and never described as a message.
HTTP_BODY = "google.api.HttpBody"

# Messages that have a JSON of their own (protobuf's ProtoJSON format).
WELL_KNOWN: dict[str, Json] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
    "google.protobuf.Struct": {"type": "object"},
    EMPTY: {"type": "object"},
}


class Schemas:
    """Collects the component of every type that it was asked to refer to."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments
        self.components: dict[str, Json] = {}

    def reference(self, described: Descriptor | EnumDescriptor) -> Json:
        """A reference to the component of a type, which is made if there is none."""
        name = described.full_name.removeprefix(f"{PACKAGE_ROOT}.")
        if name not in self.components:
            # Said before its fields are looked at: a type may contain itself.
            self.components[name] = {}
            self.components[name] = (
                self._enum(described) if isinstance(described, EnumDescriptor) else self.message(described)
            )
        return {"$ref": f"#/components/schemas/{name}"}

    def of(self, message: Descriptor) -> Json:
        """What stands for a message: the JSON that it has of its own, or a reference."""
        if message.full_name in WELL_KNOWN:
            return dict(WELL_KNOWN[message.full_name])
        return self.reference(message)

    def message(self, message: Descriptor, without: frozenset[str] = frozenset()) -> Json:
        """The object of a message, except for the fields `without`."""
        fields = [field for field in message.fields if field.name not in without]
        schema: Json = {"type": "object"}
        if text := self._comments.of(message.full_name):
            schema["description"] = text
        schema["properties"] = {field.name: self.field(field) for field in fields}
        if required := [field.name for field in fields if rules.is_required(field)]:
            schema["required"] = required
        if oneofs := [self._oneof(oneof) for oneof in message.oneofs if not _is_optional(oneof)]:
            schema["allOf"] = oneofs
        return schema

    def field(self, field: FieldDescriptor) -> Json:
        """The schema of a field, with its comment and its rules."""
        told = [self._comments.of(field.full_name), rules.words(rules.of(field))]
        schema = self._list(field) if field.is_repeated else self._one(field)
        if text := " ".join(filter(None, told)):
            schema["description"] = text
        if rules.is_read_only(field):
            schema["readOnly"] = True
        return schema

    def _one(self, field: FieldDescriptor) -> Json:
        return {**self._type(field), **rules.keywords(rules.of(field), field)}

    def _list(self, field: FieldDescriptor) -> Json:
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            return {"type": "object", "additionalProperties": self._type(entry.fields_by_name["value"])}
        given = rules.of(field).repeated
        items = {**self._type(field), **rules.keywords(given.items, field)}
        return {"type": "array", "items": items, **rules.list_keywords(given)}

    def _type(self, field: FieldDescriptor) -> Json:
        if field.enum_type is not None:
            return self.reference(field.enum_type)
        if field.message_type is None:
            return dict(SCALARS[field.type])
        return self.of(field.message_type)

    def _oneof(self, oneof: OneofDescriptor) -> Json:
        """At most one of its fields."""
        each: list[Any] = [{"required": [field.name]} for field in oneof.fields]
        described = {"oneOf": [*each, {"not": {"anyOf": each}}]}
        text = self._comments.of(f"{oneof.containing_type.full_name}.{oneof.name}")
        return {"description": text, **described} if text else described

    def _enum(self, enum: EnumDescriptor) -> Json:
        values = [f"- `{value.name}`: {self._comments.of(f'{enum.full_name}.{value.name}')}" for value in enum.values]
        description = "\n".join([self._comments.of(enum.full_name), "", *values])
        return {"type": "string", "description": description, "enum": [value.name for value in enum.values]}


def _is_optional(oneof: OneofDescriptor) -> bool:
    """Whether it is what protobuf makes of a single `optional` field."""
    return len(oneof.fields) == 1 and oneof.name == f"_{oneof.fields[0].name}"
