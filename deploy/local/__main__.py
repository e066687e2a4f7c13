"""`python -m deploy.local` is the `earshot` command where no script is installed."""

from deploy.local.cli import main

main()
