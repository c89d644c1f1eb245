"""Adapters to Step Functions."""
