"""Delivery to HTTP endpoints."""
