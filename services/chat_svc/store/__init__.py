"""Conversations and answers in Postgres."""

from pathlib import Path

from services.chat_svc.store.answers import Answers, Begun
from services.chat_svc.store.branches import Branches
from services.chat_svc.store.conversations import Conversations
from services.chat_svc.store.forks import Forks
from services.chat_svc.store.history import History
from services.chat_svc.store.messages import Messages
from services.chat_svc.store.rounds import Rounds

SCHEMA = "chat"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

__all__ = [
    "MIGRATIONS",
    "SCHEMA",
    "Answers",
    "Begun",
    "Branches",
    "Conversations",
    "Forks",
    "History",
    "Messages",
    "Rounds",
]
