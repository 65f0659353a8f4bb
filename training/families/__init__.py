"""Base classes of games that several variants share."""
