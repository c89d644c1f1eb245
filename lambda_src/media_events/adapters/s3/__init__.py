"""Adapters to S3 objects."""
