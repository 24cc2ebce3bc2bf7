"""The pages that Stripe would show to buyers, and one for whoever runs this."""
