"""Images and voices."""
