"""Lemon Squeezy: a shop of its own on the web. Its events are objects as they stood when they were sent."""

from services.billing_svc.payments.lemon_squeezy.inbound import LemonSqueezy
from services.billing_svc.payments.lemon_squeezy.seller import LemonSqueezySeller

__all__ = ["LemonSqueezy", "LemonSqueezySeller"]
