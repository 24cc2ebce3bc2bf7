"""`scenemesh media`, `scenemesh transcribe` and `scenemesh speak`."""
