"""What the documentation claims of speed, measured: one file a claim, with its peers in the same run."""
