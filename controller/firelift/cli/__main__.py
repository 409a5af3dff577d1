"""`python -m firelift.cli`: the same as the console script."""

from firelift.cli.main import main

main()
