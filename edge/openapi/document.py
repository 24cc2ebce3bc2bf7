"""The whole document, and its YAML."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from google.api import resource_pb2
from google.protobuf import descriptor_pb2, descriptor_pool

from edge.openapi import failures, templates
from edge.openapi.comments import Comments
from edge.openapi.operations import BEARER, Operations
from edge.openapi.rules import Json
from edge.openapi.schemas import Schemas
from runtime.contract import VERBS, Contract

DESCRIPTION = (
    "The REST interface, derived from the same contract that gRPC and grpc-web callers use. Streams are Server-Sent "
    "Events. 64-bit integers are strings."
)
WIDTH = 120


def document(descriptor_set: Path) -> Json:
    """The OpenAPI document of a descriptor set; the same set gives the same document."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes()).file
    contract = Contract.load(descriptor_set)
    methods = [method for method in contract if method.external]
    comments = Comments(files)
    schemas = Schemas(comments)
    operations = Operations(schemas, comments, templates.collections(_resource_patterns(files)))
    paths: dict[str, Json] = {}
    for method in methods:
        for path, verb, operation in operations.of(method):
            paths.setdefault(path, {})[verb] = operation
    schemas.components[failures.NAME] = failures.schema(schemas, _pool(files))
    services = sorted({method.service for method in methods})
    return {
        "openapi": "3.1.0",
        "info": {"title": "SceneMesh", "version": "v1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name.rpartition(".")[2], "description": comments.of(name)} for name in services],
        "paths": {path: {verb: paths[path][verb] for verb in VERBS if verb in paths[path]} for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": failures.components(),
            "securitySchemes": {BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def as_yaml(described: Json) -> str:
    """The document as YAML, without anchors."""
    return yaml.dump(described, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=WIDTH)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Plain.add_representer(str, _Plain.represent_str)


def _pool(files: Any) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    return pool


def _resource_patterns(files: Any) -> Iterator[str]:
    resource: Any = resource_pb2.resource
    for file in files:
        for message in file.message_type:
            options = descriptor_pb2.MessageOptions.FromString(message.options.SerializeToString())
            yield from options.Extensions[resource].pattern
