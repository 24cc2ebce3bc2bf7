"""The whole mesh on one machine: engines out of wheels, keys, certificates, and the processes around them.

Owns: the state folder and every process of a stack. Does not own: what the processes do; it imports none of them.
"""
