"""Pure functions that measure images, features and class probabilities."""
