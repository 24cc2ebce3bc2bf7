"""Finds films, series, anime and their characters while one types.

Owns: the catalogue of titles and characters and what fills it, the index over it, what ranks above what.
Does not own: conversations with a character (chat_svc).
"""
