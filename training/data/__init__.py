"""Data sets: prepared, read from files and folders, and drawn in batches."""
