"""The trace of an event over all hops, from logs, idempotency stores, review table, queues and executions."""
