"""How large an image may be; importing this loads no library."""

MAX_SIDE = 16_383  # pixels of an image that is written; WebP holds no longer one
