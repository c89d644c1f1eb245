"""The review commands."""
