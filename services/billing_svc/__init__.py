"""Plans on offer, and who is on which.

Owns: plans and their prices, what each gives, every user's subscription.
Does not own: what a user has used of it (quota_svc).
"""
