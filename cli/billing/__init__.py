"""`scenemesh billing` and the commands below it.

Owns: how plans, subscriptions and payments look on a terminal. Does not own: any of them (billing_svc does).
"""
