"""Nobody of ours leaves a stream of answers running: each is read in a block that ends it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.contract import Contract, descriptor_set_path

ROOT = Path(__file__).parents[2]
OURS = ("benchmarks", "cli", "edge", "mesh", "runtime", "services")
# How a channel is asked for a stream without a stub.
BARE = {"unary_stream", "stream_stream"}


@pytest.fixture(scope="module")
def streaming() -> set[str]:
    """What a call that answers with a stream is called."""
    return BARE | {method.name for method in Contract.load(descriptor_set_path()) if method.response_streaming}


def test_every_stream_is_read_in_a_block_that_ends_it(streaming: set[str]) -> None:
    files = [file for folder in OURS for file in sorted((ROOT / folder).rglob("*.py"))]
    found = {
        f"{file.relative_to(ROOT)}:{line}" for file in files for line in unread(ast.parse(file.read_text()), streaming)
    }
    assert found == set()


def test_no_loop_of_a_test_is_over_a_call_itself(streaming: set[str]) -> None:
    """A comprehension reads to the end; a loop may be left, and the rest of a test goes on with the call behind it."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    found = {
        f"{file.relative_to(ROOT)}:{line}" for file in files for line in looped(ast.parse(file.read_text()), streaming)
    }
    assert found == set()


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("async with reading(stub.WatchQuota(request)) as call: pass", []),
        ("call = stub.WatchQuota(request)\nasync with reading(call) as heard: pass", []),
        ("call, first = stub.WatchQuota(request), True\nasync with streams.reading(call): pass", []),
        ("call = stub.WatchQuota(request)\nasync for one in call: break", [1]),
        ("async for one in stub.WatchQuota(request): break", [1]),
        ("return stub.WatchQuota(request)", [1]),
        ("begin = partial(stub.WatchQuota, request)", [1]),
        ("quota = await stub.GetQuota(request)", []),
    ],
)
def test_a_stream_without_such_a_block_is_found(code: str, lines: list[int], streaming: set[str]) -> None:
    assert list(unread(ast.parse(code), streaming)) == lines


def unread(tree: ast.AST, streaming: set[str]) -> Iterator[int]:
    """The lines on which a stream is begun that no `reading(…)` is given, there or by the name that it is bound to."""
    nodes = list(ast.walk(tree))
    readers = [node for node in nodes if isinstance(node, ast.Call) and _called(node) == "reading"]
    arguments = [argument for reader in readers for argument in reader.args]
    kept = {id(argument) for argument in arguments}
    names = {argument.id for argument in arguments if isinstance(argument, ast.Name)}
    kept |= {id(value) for name, value in _bound(nodes) if name in names}
    begun = {id(node.func) for node in nodes if isinstance(node, ast.Call) and id(node) in kept}
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in streaming and id(node) not in begun:
            yield node.lineno


def looped(tree: ast.AST, streaming: set[str]) -> Iterator[int]:
    """The lines on which a loop begins over a call that answers with a stream, or over a name of one."""
    nodes = list(ast.walk(tree))
    names = {name for name, value in _bound(nodes) if isinstance(value, ast.Call) and _called(value) in streaming}
    for node in nodes:
        if isinstance(node, ast.AsyncFor):
            over = node.iter
            if (isinstance(over, ast.Call) and _called(over) in streaming) or (
                isinstance(over, ast.Name) and over.id in names
            ):
                yield node.lineno


def _called(call: ast.Call) -> str:
    """The last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _bound(nodes: list[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Names, and what is assigned to them."""
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                yield from ((one.id, value) for one, value in pairs if isinstance(one, ast.Name))
