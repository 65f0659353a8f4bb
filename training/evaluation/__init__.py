"""Scores of exported models, by what a model does."""
