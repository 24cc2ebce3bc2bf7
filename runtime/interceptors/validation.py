"""The rules that stand in the contract, checked on every request before a handler sees it."""

from collections.abc import Iterator

import protovalidate
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from protovalidate import ViolationPb

from runtime.errors import InvalidArgument, Violation
from runtime.interceptors.call import Call


def validation(call: Call) -> None:
    if call.method is not None:
        call.checks.append(validate)


def validate(request: Message) -> None:
    """Raises InvalidArgument that names every field that breaks a rule."""
    violations = [
        Violation(_path(fault.proto), fault.proto.message) for fault in protovalidate.collect_violations(request)
    ]
    violations += [Violation(path, "must not contain the NUL character") for path in _strings_with_nul(request)]
    if violations:
        told = "; ".join(f"{violation.field}: {violation.description}" for violation in violations[:3])
        raise InvalidArgument(told, violations=violations)


def _strings_with_nul(message: Message, path: str = "") -> Iterator[str]:
    """Paths of strings that protobuf accepts and PostgreSQL does not."""
    for field, value in message.ListFields():
        name = f"{path}{field.name}"
        if field.type == FieldDescriptor.TYPE_STRING:
            if any("\0" in text for text in (value if field.is_repeated else (value,))):
                yield name
        elif field.type == FieldDescriptor.TYPE_MESSAGE and not field.is_repeated:
            yield from _strings_with_nul(value, f"{name}.")
        elif field.type == FieldDescriptor.TYPE_MESSAGE and not _is_map(field):
            for index, one in enumerate(value):
                yield from _strings_with_nul(one, f"{name}[{index}].")


def _path(violation: ViolationPb) -> str:
    return ".".join(element.field_name for element in violation.field.elements) if violation.field else ""


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
