"""`scenemesh quota` and the commands below it.

Owns: how a quota, its ledger and its holds look on a terminal. Does not own: any of them (quota_svc does).
"""
