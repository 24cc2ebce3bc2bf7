"""Conversations in files: ours and other products', in and out."""
