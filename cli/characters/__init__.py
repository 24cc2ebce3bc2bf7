"""`scenemesh characters`: characters that people make up."""
