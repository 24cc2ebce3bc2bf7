"""A radix trie as it stands in the textbooks: labels on the edges, entries at the nodes."""

from collections.abc import Iterable, Iterator

from benchmarks.search_work import Entry


class Node:
    """Under `label`, which continues that of its parent: entries whose names end here, and what goes on."""

    __slots__ = ("children", "entries", "label")

    def __init__(self, label: str) -> None:
        self.label = label
        self.children: dict[str, Node] = {}
        self.entries: list[Entry] = []

    def split(self, length: int) -> "Node":
        """A node with the begin of this label in the place of this one, which keeps the rest of it below."""
        above = Node(self.label[:length])
        self.label = self.label[length:]
        above.children[self.label[0]] = self
        return above


class RadixTrie:
    """Entries by name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._root = Node("")
        for entry in entries:
            self._add(entry)

    def with_prefix(self, prefix: str) -> Iterator[Entry]:
        """All entries whose names begin so, in no order."""
        node, rest = self._root, prefix
        while rest:
            child = node.children.get(rest[0])
            if child is None or _shared(child.label, rest) < min(len(child.label), len(rest)):
                return
            node, rest = child, rest[len(child.label) :]
        pending = [node]
        while pending:
            node = pending.pop()
            yield from node.entries
            pending.extend(node.children.values())

    def _add(self, entry: Entry) -> None:
        node, rest = self._root, entry[0]
        while rest:
            child = node.children.get(rest[0])
            if child is None:
                child = node.children[rest[0]] = Node(rest)
            shared = _shared(child.label, rest)
            if shared < len(child.label):
                child = node.children[rest[0]] = child.split(shared)
            node, rest = child, rest[shared:]
        node.entries.append(entry)


def _shared(one: str, other: str) -> int:
    """How many characters the two begin with alike."""
    for length, (mine, yours) in enumerate(zip(one, other, strict=False)):
        if mine != yours:
            return length
    return min(len(one), len(other))
