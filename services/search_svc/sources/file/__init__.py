"""A catalogue that somebody brings as a file, CSV or JSONL; docs/catalogue.md says how it is written."""

from services.search_svc.domain.sync import Format
from services.search_svc.sources.file.source import FileSource

__all__ = ["FileSource", "Format"]
