"""`python -m fluster` is `fluster`."""

from fluster.cli.main import main

main()
