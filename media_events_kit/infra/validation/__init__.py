"""Checks of a workflow that concern more than one field."""
