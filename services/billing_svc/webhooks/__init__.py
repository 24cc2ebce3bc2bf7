"""From a provider's request to what is kept of it: taken in, acknowledged, and worked on until it is done."""
