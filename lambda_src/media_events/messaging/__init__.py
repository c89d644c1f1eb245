"""Consuming messages: queues, asynchronous invocations, the idempotency store."""
