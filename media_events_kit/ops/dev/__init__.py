"""Tries a workflow while it is written: what is saved is applied to the local cloud, and samples go through it."""
