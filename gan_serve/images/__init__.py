"""Image processing: reading, preprocessing, tiling and encoding."""
