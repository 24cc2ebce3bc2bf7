"""Values and rules of chat_svc: no I/O, no clock."""
