"""The contract's messages and what they mean here."""
