"""Adapters to Lambda functions."""
