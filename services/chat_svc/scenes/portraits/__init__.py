"""What the web knows of characters of the catalogue: fetched with a key, kept for a day, and never waited for long."""
