"""From a training to a model in `models/`: export, scores, card and sample."""
