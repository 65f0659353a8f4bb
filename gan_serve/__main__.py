"""`python -m gan_serve` is `gan-serve`."""

from gan_serve.cli import main

main()
