"""The `route` command."""
