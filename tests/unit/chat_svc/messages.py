"""Messages for tests."""

from datetime import UTC, datetime
from uuid import UUID

from services.chat_svc.domain.conversation import Message, Role, State

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONVERSATION = UUID("6f1d2c3e-0000-4000-8000-000000000001")
QUESTION = Message(
    "alice",
    CONVERSATION,
    UUID("6f1d2c3e-0000-4000-8000-000000000002"),
    1,
    Role.USER,
    "Who are you?",
    State.COMPLETE,
    NOW,
)
ANSWER = Message(
    "alice",
    CONVERSATION,
    UUID("6f1d2c3e-0000-4000-8000-000000000003"),
    2,
    Role.CHARACTER,
    "",
    State.STREAMING,
    NOW,
    model="first",
    hold="users/alice/holds/1",
    prompt_tokens=7,
)
