"""An RPC's REST binding as an OpenAPI operation."""

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge.openapi import failures, rules, templates
from edge.openapi.comments import Comments
from edge.openapi.rules import Json
from edge.openapi.schemas import EMPTY, HTTP_BODY, WELL_KNOWN, Schemas
from edge.openapi.templates import Template
from runtime.contract import Audience, Binding, Method

BEARER = "bearer"


class Operations:
    """Makes operations; the schemas that they need are collected on the way."""

    def __init__(self, schemas: Schemas, comments: Comments, singulars: Mapping[str, str]) -> None:
        self._schemas = schemas
        self._comments = comments
        self._singulars = singulars

    def of(self, method: Method) -> Iterator[tuple[str, str, Json]]:
        """The path, the verb and the operation of every binding."""
        for number, binding in enumerate(method.bindings):
            template = templates.parse(binding.path, self._singulars, _patterns(method.descriptor.input_type))
            yield template.path, binding.verb.lower(), self._operation(method, binding, template, number)

    def _operation(self, method: Method, binding: Binding, template: Template, number: int) -> Json:
        service, name = method.service.rpartition(".")[2], method.descriptor.full_name
        operation: Json = {
            "operationId": f"{service}_{method.name}" + (f"_{number + 1}" if number else ""),
            "tags": [service],
            "summary": self._comments.summary(name),
            "description": "\n\n".join([self._comments.of(name), *_limits(method)]),
            "security": _security(method.policy.audience),
        }
        if parameters := [*self._path(method, template), *self._query(method, binding, template)]:
            operation["parameters"] = parameters
        if binding.body:
            operation["requestBody"] = {"required": True, "content": self._content(method, binding, template)}
        comment = self._comments.of(name)
        errors = failures.of(method, names_resource=bool(template.parameters), comment=comment)
        operation["responses"] = {"200": self._answer(method), **errors}
        return operation

    def _path(self, method: Method, template: Template) -> Iterator[Json]:
        message = method.descriptor.input_type.full_name
        for parameter in template.parameters:
            schema: Json = {"type": "string"}
            if parameter.pattern is not None:
                schema["pattern"] = parameter.pattern
            description = f"A part of `{parameter.field}`: {self._comments.of(f'{message}.{parameter.field}')}"
            yield {
                "name": parameter.name,
                "in": "path",
                "required": True,
                "description": description,
                "schema": schema,
            }

    def _query(self, method: Method, binding: Binding, template: Template) -> Iterator[Json]:
        if binding.body == "*":
            return
        bound = {parameter.field for parameter in template.parameters} | {binding.body}
        for name, field in _leaves(method.descriptor.input_type):
            if name.partition(".")[0] not in bound:
                schema = self._schemas.field(field)
                description = schema.pop("description", "")
                yield {
                    "name": name,
                    "in": "query",
                    "required": rules.is_required(field),
                    "description": description,
                    "schema": schema,
                }

    def _content(self, method: Method, binding: Binding, template: Template) -> Json:
        field = method.descriptor.input_type.fields_by_name.get(binding.body)
        if field is not None and field.message_type is not None and field.message_type.full_name == HTTP_BODY:
            return {"*/*": {"schema": {"description": self._comments.of(field.full_name)}}}
        return {"application/json": {"schema": self._body(method, binding, template)}}

    def _body(self, method: Method, binding: Binding, template: Template) -> Json:
        message = method.descriptor.input_type
        if binding.body != "*":
            return self._schemas.field(message.fields_by_name[binding.body])
        # What the path says must not stand in the body as well: the edge answers 400.
        return self._schemas.message(message, without=frozenset(parameter.field for parameter in template.parameters))

    def _answer(self, method: Method) -> Json:
        message = method.descriptor.output_type
        if message.full_name == HTTP_BODY:
            # A schema without a type: bytes, whose type the answer's own header says.
            return {"description": "The bytes, with their content type.", "content": {"*/*": {"schema": {}}}}
        schema = self._schemas.of(message)
        description = "It is done." if message.full_name == EMPTY else self._comments.of(message.full_name)
        if not method.response_streaming:
            return {"description": description, "content": {"application/json": {"schema": schema}}}
        stream = f"Server-Sent Events. The `data` of each is JSON: {description}"
        return {"description": stream, "content": {"text/event-stream": {"schema": schema}}}


def _limits(method: Method) -> Iterator[str]:
    policy = method.policy
    if policy.rate_limit is not None:
        seconds = int(policy.rate_limit.per.total_seconds())
        yield f"At most {policy.rate_limit.requests} calls in {seconds} s for each user."
    if policy.meter:
        yield f"Needs credit on the meter `{policy.meter}`."


def _security(audience: Audience) -> list[Json]:
    token: Json = {BEARER: []}
    match audience:
        case Audience.WEBHOOK:
            return []
        case Audience.PUBLIC:
            return [{}, token]
    return [token]


def _patterns(message: Descriptor) -> dict[str, str]:
    """The regular expressions that string fields must match."""
    return {field.name: rules.of(field).string.pattern for field in message.fields if rules.of(field).string.pattern}


def _leaves(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """The fields that a query can carry, by their dotted paths."""
    for field in message.fields:
        nested = field.message_type
        if nested is None or nested.full_name in WELL_KNOWN:
            yield f"{prefix}{field.name}", field
        elif not field.is_repeated:
            yield from _leaves(nested, f"{prefix}{field.name}.")
