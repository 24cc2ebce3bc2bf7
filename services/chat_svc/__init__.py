"""Conversations between a person and a character, and the answers in them.

Owns: conversations, messages, the live log of every answer, the choice of a model and what is said to it.
Does not own: characters (search_svc), credit (quota_svc), what plans there are (billing_svc).
"""
