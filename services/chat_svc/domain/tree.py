"""The tree that a conversation's messages are: each was said after another one, or is a first one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Node:
    """What the tree knows of a message. `held` says that credit is held for it still."""

    id: UUID
    parent: UUID | None
    position: int
    pinned: bool = False
    streaming: bool = False
    held: bool = False
    tokens: int = 0


class Tree:
    """Made of nodes in the order of their positions, in which a message comes after the one that it was said after."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = {node.id: node for node in nodes}

    def __getitem__(self, message: UUID) -> Node:
        return self._nodes[message]

    def __contains__(self, message: UUID | None) -> bool:
        return message in self._nodes

    def until(self, message: UUID) -> list[Node]:
        """All that was said until a message, on any branch, oldest first."""
        return [node for node in self._nodes.values() if node.position <= self._nodes[message].position]

    def line(self, leaf: UUID | None) -> list[Node]:
        """A message and all that it was said after, oldest first; nothing for one that is not there."""
        line = []
        node = self._nodes.get(leaf) if leaf else None
        while node is not None:
            line.append(node)
            node = self._nodes.get(node.parent) if node.parent else None
        return line[::-1]

    def subtree(self, message: UUID) -> list[Node]:
        """A message and all that was said after it, oldest first."""
        members = {message}
        for node in self._nodes.values():
            if node.parent in members:
                members.add(node.id)
        return [node for node in self._nodes.values() if node.id in members]

    def newest(self, message: UUID) -> UUID:
        """The end of the branch that goes on from a message: what was said after it last."""
        return self.subtree(message)[-1].id

    def without(self, message: UUID) -> Tree:
        """The tree without a message and all that was said after it."""
        gone = {node.id for node in self.subtree(message)}
        return Tree(node for node in self._nodes.values() if node.id not in gone)

    def last_after(self, parent: UUID | None) -> UUID | None:
        """Where a conversation goes on after `parent`: at the end of its last branch, at itself where it has none."""
        later = [node.id for node in self._nodes.values() if node.parent == parent]
        return self.newest(later[-1]) if later else parent
