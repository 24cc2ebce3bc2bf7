"""What the contract's comments say, by the full name of what they stand above."""

from collections.abc import Iterable, Iterator, Sequence

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

Path = tuple[int, ...]


class Comments:
    """Comments of all files of a descriptor set that was built with them."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self._by_name: dict[str, str] = {}
        for file in files:
            by_path = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
            self._by_name |= {name: _text(by_path.get(path, "")) for name, path in _file(file)}

    def of(self, full_name: str) -> str:
        """The comment, its paragraphs separated by empty lines; empty when there is none."""
        return self._by_name.get(full_name, "")

    def summary(self, full_name: str) -> str:
        """The comment's first sentence, without its stop."""
        return self.of(full_name).partition("\n\n")[0].partition(". ")[0].rstrip(".")


def _text(comment: str) -> str:
    lines = [line.removeprefix(" ").rstrip() for line in comment.strip("\n").split("\n")]
    paragraphs = "\n".join(lines).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs).strip()


def _file(file: FileDescriptorProto) -> Iterator[tuple[str, Path]]:
    """The full name and the place of everything that a file declares."""
    field_number = descriptor_pb2.FileDescriptorProto.DESCRIPTOR.fields_by_name
    message, enum, service = (field_number[name].number for name in ("message_type", "enum_type", "service"))
    for index, one in enumerate(file.message_type):
        yield from _message(one, file.package, (message, index))
    for index, two in enumerate(file.enum_type):
        yield from _enum(two, file.package, (enum, index))
    for index, three in enumerate(file.service):
        name, place = f"{file.package}.{three.name}", (service, index)
        yield name, place
        yield from _children(three.method, name, (*place, descriptor_pb2.ServiceDescriptorProto.METHOD_FIELD_NUMBER))


def _message(message: DescriptorProto, scope: str, place: Path) -> Iterator[tuple[str, Path]]:
    name = f"{scope}.{message.name}"
    yield name, place
    yield from _children(message.field, name, (*place, DescriptorProto.FIELD_FIELD_NUMBER))
    yield from _children(message.oneof_decl, name, (*place, DescriptorProto.ONEOF_DECL_FIELD_NUMBER))
    for index, nested in enumerate(message.nested_type):
        yield from _message(nested, name, (*place, DescriptorProto.NESTED_TYPE_FIELD_NUMBER, index))
    for index, enum in enumerate(message.enum_type):
        yield from _enum(enum, name, (*place, DescriptorProto.ENUM_TYPE_FIELD_NUMBER, index))


def _enum(enum: EnumDescriptorProto, scope: str, place: Path) -> Iterator[tuple[str, Path]]:
    # Values are siblings of their enum in protobuf; here they stand below it, where their comments belong.
    name = f"{scope}.{enum.name}"
    yield name, place
    yield from _children(enum.value, name, (*place, EnumDescriptorProto.VALUE_FIELD_NUMBER))


def _children(named: Sequence[object], scope: str, place: Path) -> Iterator[tuple[str, Path]]:
    for index, one in enumerate(named):
        yield f"{scope}.{one.name}", (*place, index)  # type: ignore[attr-defined] # every declaration has a name
