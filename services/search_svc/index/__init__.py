"""The index: one immutable file, mapped into memory, that answers queries.

Owns: the file's format, how it is built, what a query matches and what ranks above what.
Does not own: which version serves (versions), where titles come from (the store).
"""
