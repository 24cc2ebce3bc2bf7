"""A pretend Stripe for a laptop and for tests: the API at the wire, its webhooks, its pages. No money moves.

Owns: what Stripe would keep, in memory and in one file. Does not own: anything of billing_svc's, which talks to it as
to the real one. See `pretend.py` for how a test runs one, and `control.py` for what it can be told to do.
"""
