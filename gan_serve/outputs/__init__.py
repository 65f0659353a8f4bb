"""What a result shows: panels of images, and the files that hold them."""
