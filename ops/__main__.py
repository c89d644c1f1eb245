"""`python -m ops` is the `media-events` command."""

from ops.cli import main

main()
