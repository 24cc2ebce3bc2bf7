"""Validation rules of the contract (`buf.validate`) as keywords of JSON Schema."""

from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldOptions

from buf.validate import validate_pb2

Json = dict[str, Any]

NUMBERS = ("int32", "uint32", "sint32", "fixed32", "sfixed32", "float", "double")
# JSON has these as strings, so that their bounds can only be told.
LONG_NUMBERS = ("int64", "uint64", "sint64", "fixed64", "sfixed64")
BOUNDS = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum"}
BOUND_WORDS = {"gte": "at least", "gt": "more than", "lte": "at most", "lt": "less than"}
FORMATS = ("uuid", "email", "hostname", "ipv4", "ipv6", "uri")


def of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """The rules of a field; empty ones when it has none."""
    rules: validate_pb2.FieldRules = _options(field).Extensions[_extension(validate_pb2.field)]
    return rules


def is_required(field: FieldDescriptor) -> bool:
    """Whether a request without the field is refused."""
    return of(field).required or _behaves(field, field_behavior_pb2.REQUIRED)


def is_read_only(field: FieldDescriptor) -> bool:
    """Whether only answers carry the field."""
    return _behaves(field, field_behavior_pb2.OUTPUT_ONLY)


def keywords(rules: validate_pb2.FieldRules, field: FieldDescriptor) -> Json:
    """The keywords for one value of the field; a list's own are `list_keywords`."""
    kind = rules.WhichOneof("type")
    if kind == "string":
        return _string(rules.string)
    if kind in NUMBERS:
        return {keyword: value for rule, keyword in BOUNDS.items() if (value := _bound(rules, kind, rule)) is not None}
    if kind == "enum" and field.enum_type is not None:
        values = [value.name for value in field.enum_type.values if value.number in rules.enum.not_in]
        return {"not": {"enum": values}} if values else {}
    return {}


def list_keywords(rules: validate_pb2.RepeatedRules) -> Json:
    """The keywords for a list."""
    given: Json = {}
    if rules.HasField("min_items"):
        given["minItems"] = rules.min_items
    if rules.HasField("max_items"):
        given["maxItems"] = rules.max_items
    if rules.unique:
        given["uniqueItems"] = True
    return given


def words(rules: validate_pb2.FieldRules) -> str:
    """What can only be told, as a sentence: `At least 0, at most 100.`"""
    kind = rules.WhichOneof("type")
    if kind not in LONG_NUMBERS:
        return ""
    told = [f"{word} {value}" for rule, word in BOUND_WORDS.items() if (value := _bound(rules, kind, rule)) is not None]
    sentence = ", ".join(told)
    return f"{sentence[0].upper()}{sentence[1:]}." if told else ""


def _string(rules: validate_pb2.StringRules) -> Json:
    given: Json = {}
    if rules.HasField("min_len"):
        given["minLength"] = rules.min_len
    if rules.HasField("max_len"):
        given["maxLength"] = rules.max_len
    if rules.HasField("pattern"):
        given["pattern"] = rules.pattern
    if (well_known := rules.WhichOneof("well_known")) in FORMATS:
        given["format"] = well_known
    return given


def _bound(rules: validate_pb2.FieldRules, kind: str, rule: str) -> int | float | None:
    numbers = getattr(rules, kind)
    value: int | float = getattr(numbers, rule)
    return value if numbers.HasField(rule) else None


def _behaves(field: FieldDescriptor, behavior: int) -> bool:
    return behavior in _options(field).Extensions[_extension(field_behavior_pb2.field_behavior)]


def _options(field: FieldDescriptor) -> FieldOptions:
    # Options of a pool of its own carry extensions as unknown bytes; parsing them again makes them known.
    return FieldOptions.FromString(field.GetOptions().SerializeToString())


def _extension(extension: Any) -> Any:
    # The libraries' stubs call every extension a plain field descriptor.
    return extension
