"""Delivery to AWS services."""
