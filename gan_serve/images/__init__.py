"""Images: read, prepared for a model, cut into tiles, and encoded."""
