"""The RPCs of SearchService and of CatalogService."""
