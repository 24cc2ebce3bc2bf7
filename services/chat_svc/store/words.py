"""Queries in words, as PostgreSQL takes them."""

# The words of a query; the last one may be the beginning of a word where the query is unfinished.
QUERY = """
    CASE WHEN $2 AND websearch_to_tsquery('simple', $1)::text LIKE '%''' THEN
        (websearch_to_tsquery('simple', $1)::text || ':*')::tsquery
    ELSE websearch_to_tsquery('simple', $1) END
"""


def tsquery(query: str, unfinished: str) -> str:
    """An expression for the query that two expressions give: its text, and whether it is unfinished."""
    return f"({QUERY.replace('$1', query).replace('$2', unfinished)})"
