"""`python -m ops` is the `media-events` command."""

from media_events_kit.ops.cli import main

main()
