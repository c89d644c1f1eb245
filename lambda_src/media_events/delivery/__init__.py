"""Delivering an event to a downstream system: HTTP endpoints and Step Functions state machines."""
