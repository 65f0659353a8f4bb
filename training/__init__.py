"""Training GANs. `python -m training` imports this first, and Ctrl-C ends it in one line from here on."""

import gan_serve as gan_serve  # which sees to that, and to nothing where this is imported as a library
