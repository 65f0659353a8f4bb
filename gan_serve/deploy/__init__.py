"""Ways to run on more than one machine."""
