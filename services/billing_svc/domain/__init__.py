"""Plans, agreements, payments and what follows from them, as values."""
