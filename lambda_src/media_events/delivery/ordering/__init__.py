"""Delivery in order (EIP: Resequencer) and of the latest state alone."""
