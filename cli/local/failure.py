"""What ends a command: one line for a person, never a traceback."""


class Failure(Exception):
    """The message says what is wrong and, where there is something, what to do about it."""
