"""The workflow's model."""
