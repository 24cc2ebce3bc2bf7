"""The `scenemesh` command.

Owns: what a person types and sees; `cli.local` runs the whole mesh on one machine. Does not own: anything that a
service does. The command speaks to a stack through its edge, as any client does.
"""
