"""What each user may use, what they have used, and the ledger that proves it.

Owns: accounts, holds, append-only entries, and the rules that keep them from overspending.
Does not own: plans and subscriptions (billing_svc); what a use is worth to a user (chat_svc).
"""
