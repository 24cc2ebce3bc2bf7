"""The catalogue, its syncs and its index versions in Postgres."""

from pathlib import Path

from services.search_svc.store.catalogue import Catalogue
from services.search_svc.store.syncs import Syncs
from services.search_svc.store.uploads import Uploads
from services.search_svc.store.versions import Versions
from services.search_svc.store.work import Fenced, Work

SCHEMA = "search"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

__all__ = ["MIGRATIONS", "SCHEMA", "Catalogue", "Fenced", "Syncs", "Uploads", "Versions", "Work"]
