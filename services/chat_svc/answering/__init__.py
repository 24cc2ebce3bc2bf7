"""The making of answers: as long as the process lives, whoever watches or does not."""
