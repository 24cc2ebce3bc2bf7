"""`scenemesh index` and the commands below it.

Owns: how index versions look on a terminal. Does not own: any of them (search_svc does).
"""
