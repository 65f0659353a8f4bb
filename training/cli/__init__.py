"""The commands of `python -m training`. They import what they need when they run."""
