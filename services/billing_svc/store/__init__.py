"""What is kept in Postgres."""

from pathlib import Path

from services.billing_svc.store.books import Book, Books, Held
from services.billing_svc.store.effects import Effects, Waiting

SCHEMA = "billing"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

__all__ = ["MIGRATIONS", "SCHEMA", "Book", "Books", "Effects", "Held", "Waiting"]
