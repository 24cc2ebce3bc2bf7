"""Conversations and answers in Postgres."""

from pathlib import Path

from services.chat_svc.store.answers import Answers, Begun
from services.chat_svc.store.conversations import Conversations

SCHEMA = "chat"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

__all__ = ["MIGRATIONS", "SCHEMA", "Answers", "Begun", "Conversations"]
