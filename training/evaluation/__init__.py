"""Score exported models, by their task."""
