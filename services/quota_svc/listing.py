"""Pages of entries and holds, and the tokens that go on with them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from runtime import pages
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.convert import entry_to_proto, fault, hold_to_proto
from services.quota_svc.domain.entry import Entry, EntryFilter
from services.quota_svc.domain.hold import Hold, HoldState

PAGE_SIZE_DEFAULT = 50
NUMBER_DIGITS_MAX = 18


def page_size_from_proto(request: quota_pb2.ListEntriesRequest | quota_pb2.ListHoldsRequest) -> int:
    return request.page_size or PAGE_SIZE_DEFAULT


def entries_scope(user: str, wanted: EntryFilter) -> str:
    """The query that a page token of entries is bound to."""
    return f"users/{user}/entries {wanted}"


def before_from_proto(scope: str, request: quota_pb2.ListEntriesRequest) -> int | None:
    """The number that the page goes on below; None for the first page."""
    position = pages.position(scope, request.page_token, 1)
    if position is None:
        return None
    if not position[0].isascii() or not position[0].isdigit() or len(position[0]) > NUMBER_DIGITS_MAX:
        raise fault("page_token", "is not the next_page_token of this query")
    return int(position[0])


def holds_scope(user: str, state: HoldState | None) -> str:
    """The query that a page token of holds is bound to."""
    return f"users/{user}/holds {state}"


def hold_before_from_proto(scope: str, request: quota_pb2.ListHoldsRequest) -> tuple[datetime, UUID] | None:
    """The hold that the page goes on after; None for the first page."""
    position = pages.position(scope, request.page_token, 2)
    if position is None:
        return None
    try:
        moment, hold_id = datetime.fromisoformat(position[0]).astimezone(UTC), UUID(position[1])
    except (ValueError, OverflowError) as error:
        raise fault("page_token", "is not the next_page_token of this query") from error
    return moment, hold_id


def entries_to_proto(user: str, scope: str, entries: Sequence[Entry], page_size: int) -> quota_pb2.ListEntriesResponse:
    """One page of `entries`, which hold one more than the page when there is a next one."""
    page = entries[:page_size]
    token = pages.token(scope, [str(page[-1].number)]) if len(entries) > page_size else ""
    return quota_pb2.ListEntriesResponse(entries=[entry_to_proto(user, entry) for entry in page], next_page_token=token)


def holds_to_proto(user: str, scope: str, holds: Sequence[Hold], page_size: int) -> quota_pb2.ListHoldsResponse:
    """One page of `holds`, which hold one more than the page when there is a next one."""
    page = holds[:page_size]
    position = [page[-1].created.isoformat(), str(page[-1].id)] if len(holds) > page_size else None
    token = pages.token(scope, position) if position is not None else ""
    return quota_pb2.ListHoldsResponse(holds=[hold_to_proto(user, hold) for hold in page], next_page_token=token)
