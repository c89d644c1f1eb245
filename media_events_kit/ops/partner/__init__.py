"""The `partner` command."""
