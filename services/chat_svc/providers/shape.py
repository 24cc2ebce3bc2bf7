"""The shape of what providers send, which nobody has checked."""

from typing import TypeGuard

from services.chat_svc.domain.outcome import Usage

# No context is as large by far; what is beyond is no count.
TOKENS_MAX = 2**31 - 1


def text(told: object) -> str:
    """A piece of text, empty for none; ValueError for anything else."""
    if told is None:
        return ""
    if not isinstance(told, str):
        raise ValueError("a piece of text is no text")
    return told


def usage(input_tokens: object, output_tokens: object, cached_tokens: object) -> Usage | None:
    """What a provider reports; None where it reports no counts."""
    if not (_is_count(input_tokens) and _is_count(output_tokens)):
        return None
    return Usage(
        input_tokens,
        output_tokens,
        cached_tokens=min(cached_tokens, input_tokens) if _is_count(cached_tokens) else 0,
    )


def counted(told: Usage | None, *, spoke: bool) -> Usage | None:
    """What was reported; None where that has no output though there was text, which is counted by its size instead."""
    return None if told is not None and spoke and not told.output_tokens else told


def _is_count(told: object) -> TypeGuard[int]:
    return type(told) is int and 0 <= told <= TOKENS_MAX
