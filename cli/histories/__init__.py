"""`scenemesh conversations` and the commands below it.

Owns: how conversations and what was said in them look on a terminal. Does not own: any of them (chat_svc does).
"""
