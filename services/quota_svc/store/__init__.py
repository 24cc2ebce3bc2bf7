"""The ledger in Postgres."""

from pathlib import Path

from services.quota_svc.store.books import Books
from services.quota_svc.store.ledger import Ledger

SCHEMA = "quota"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

__all__ = ["MIGRATIONS", "SCHEMA", "Books", "Ledger"]
