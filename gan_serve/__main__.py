"""`python -m gan_serve` is `gan-serve`."""

import sys

from gan_serve.cli import main

sys.exit(main())
