"""Compares what is kept with what Stripe and quota_svc say, tells what differs, and repairs what is safe.

A difference is a drift when it is still the same some seconds later, and nothing is on its way that would end it: what
is kept does not come from a later reading than the comparison, no young delivery is about it, no effect waits. Nothing
here charges anybody: a provider is only read, and quota_svc is told what it should have been told already, under the
ids that make it happen once.
"""
