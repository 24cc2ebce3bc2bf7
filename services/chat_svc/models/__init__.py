"""The models that may answer: which there are, how they do, and which one is asked."""
