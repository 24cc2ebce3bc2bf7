"""Stripe's API: its paths, its errors, its idempotency."""
