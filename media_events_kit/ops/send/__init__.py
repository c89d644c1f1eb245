"""Sends events as partners do, to try a workflow out."""
