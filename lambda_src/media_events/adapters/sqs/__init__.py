"""Adapters to SQS queues."""
