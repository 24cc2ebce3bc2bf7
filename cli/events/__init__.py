"""`scenemesh events`: what services tell each other, and what they could not handle."""
