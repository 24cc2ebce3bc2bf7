from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.tree import Node, Tree


def grown(parents: list[int]) -> Tree:
    """A tree in which the message at a position was said after the one at the position that stands there; 0 is none."""
    return Tree(
        Node(UUID(int=position), UUID(int=parent) if parent else None, position)
        for position, parent in enumerate(parents, 1)
    )


def places(nodes: list[Node]) -> list[int]:
    return [node.position for node in nodes]


TREE = grown([0, 1, 2, 1, 4, 0])


def test_a_line_goes_back_to_the_first_message() -> None:
    assert places(TREE.line(UUID(int=5))) == [1, 4, 5]
    assert TREE.line(None) == TREE.line(UUID(int=99)) == []


def test_a_subtree_is_all_that_was_said_after_a_message() -> None:
    assert (places(TREE.subtree(UUID(int=1))), places(TREE.subtree(UUID(int=6)))) == ([1, 2, 3, 4, 5], [6])


def test_the_newest_of_a_branch_ends_it() -> None:
    assert [TREE.newest(UUID(int=one)).int for one in (1, 2, 6)] == [5, 3, 6]


def test_a_conversation_goes_on_at_the_end_of_the_last_branch() -> None:
    left = TREE.without(UUID(int=4))
    assert (left.last_after(UUID(int=1)), left.last_after(UUID(int=3))) == (UUID(int=3), UUID(int=3))
    assert (left.last_after(None), grown([]).last_after(None)) == (UUID(int=6), None)


@given(st.data(), st.integers(1, 12))
def test_whatever_is_taken_off_what_is_left_is_a_tree(data: st.DataObject, count: int) -> None:
    tree = grown([data.draw(st.integers(0, position)) for position in range(count)])
    every = tree.until(UUID(int=count))
    message = data.draw(st.sampled_from(every))
    left = tree.without(message.id)
    gone = tree.subtree(message.id)
    assert [node for node in every if node.id not in left] == gone
    assert all(node.parent is None or node.parent in left for node in every if node.id in left)
    current = left.last_after(message.parent)
    line = left.line(current)
    assert all(earlier.id == later.parent for earlier, later in pairwise(line))
    assert (line == []) if current is None else (left.subtree(current) == line[-1:])
