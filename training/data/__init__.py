"""Data sets: preparing them, reading them from files and folders, and drawing batches."""
