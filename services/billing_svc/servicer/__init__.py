"""The two services of the contract."""

SERVICES = ("scenemesh.billing.v1.BillingService", "scenemesh.billing.v1.WebhookService")
