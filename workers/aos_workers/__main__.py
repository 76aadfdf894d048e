"""`python -m aos_workers`: the same as `aos-worker`."""

from aos_workers.main import main

main()
