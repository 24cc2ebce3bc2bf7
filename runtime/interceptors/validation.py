"""The rules that stand in the contract, checked on every request before a handler sees it."""

from collections.abc import Iterator
from itertools import islice

import protovalidate
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from protovalidate import ViolationPb

from runtime.errors import InvalidArgument, Violation
from runtime.interceptors.call import Call
from runtime.interceptors.patterns import SENTENCES

PATTERN_RULE = "string.pattern"
# A request with more items is refused for the first fault in it, though it may have any number: to name each one takes
# the processor as long as a call may take, and all of its callers wait meanwhile.
ITEMS_MAX = 100


def validation(call: Call) -> None:
    if call.method is not None:
        call.checks.append(validate)


def validate(request: Message) -> None:
    """Raises InvalidArgument that names every field that breaks a rule; one of them where there are many items."""
    faults = protovalidate.collect_violations(request, fail_fast=_items(request) > ITEMS_MAX)
    violations = [Violation(_path(fault.proto), _said(fault)) for fault in faults]
    with_nul = islice(_strings_with_nul(request), ITEMS_MAX)
    violations += [Violation(path, "must not contain the NUL character") for path in with_nul]
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


def _items(message: Message) -> int:
    """Of all lists and maps; not all are counted where one alone has too many."""
    count = 0
    for field, value in message.ListFields():
        if field.is_repeated:
            count += len(value)
        if count > ITEMS_MAX:
            break
        if field.type == FieldDescriptor.TYPE_MESSAGE and not _is_map(field):
            count += sum(_items(one) for one in (value if field.is_repeated else (value,)))
    return count


def _said(fault: protovalidate.Violation) -> str:
    """What is wrong, in words."""
    is_pattern = fault.proto.rule_id == PATTERN_RULE
    return SENTENCES.get(fault.rule_value, fault.proto.message) if is_pattern else fault.proto.message


def _path(violation: ViolationPb) -> str:
    return ".".join(element.field_name for element in violation.field.elements) if violation.field else ""


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
