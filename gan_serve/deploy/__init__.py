"""Deployment on several machines."""
