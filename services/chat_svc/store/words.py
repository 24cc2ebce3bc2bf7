"""Queries in words, as PostgreSQL takes them. `words_of`, in the database, gives the words of a text."""

from services.chat_svc.domain.script import UNSPACED


def tsquery(query: str, unfinished: str) -> str:
    """An expression for the query that two expressions give: its text in pairs, and whether it is unfinished.

    The last word may be the beginning of one where the query is unfinished; one character alone, of a pair, always.
    """
    web = f"websearch_to_tsquery('simple', {query})::text"
    words = rf"regexp_replace({web}, '''([{UNSPACED}])''', '''\1'':*', 'g')"
    return f"({words} || CASE WHEN {unfinished} AND {words} LIKE '%''' THEN ':*' ELSE '' END)::tsquery"
