"""The providers: what each sends, says and does, in our terms. Nothing else knows their words."""
