"""Index versions at work: they are built in the background, compared, put into service, and loaded by every replica.

Owns: who builds when, what a new index must be like to serve, which files stay, which index answers.
Does not own: what is in an index file (index), what is in the catalogue (the store).
"""
