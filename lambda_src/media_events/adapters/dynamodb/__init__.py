"""Adapters to DynamoDB tables."""
