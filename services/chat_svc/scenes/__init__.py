"""What a model is told: who speaks, what was said, and what a model made of it behind the scenes."""
