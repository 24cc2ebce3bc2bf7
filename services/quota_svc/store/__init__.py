"""The ledger in Postgres."""

from pathlib import Path

from services.quota_svc.store.asked import Asked
from services.quota_svc.store.history import History
from services.quota_svc.store.ledger import Accounts, Ledger, Message, Occasion, Written

SCHEMA = "quota"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

__all__ = ["MIGRATIONS", "SCHEMA", "Accounts", "Asked", "History", "Ledger", "Message", "Occasion", "Written"]
