"""Publish a training as a model in `models/`: export, scores, card and sample."""
