"""`scenemesh sync` and the commands below it, for operators.

Owns: starting and watching a sync on a terminal. Does not own: the sync, which goes on without us (search_svc does).
"""
