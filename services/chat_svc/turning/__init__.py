"""Turns: where they go, who speaks, what they would cost, and how they begin."""
