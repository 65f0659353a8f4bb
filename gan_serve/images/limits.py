"""Limits on image sizes. This module imports nothing."""

MAX_SIDE = 16_383  # pixels of an output image; the limit of WebP
