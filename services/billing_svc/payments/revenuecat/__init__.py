"""RevenueCat: what the stores of telephones sell. Its events say all there is; nothing is asked of it."""

from services.billing_svc.payments.revenuecat.inbound import RevenueCat

__all__ = ["RevenueCat"]
