"""`python -m aos.cli` is `aos`."""

from aos.cli import main

main()
