"""An event's story over all hops, put together from what the parts wrote down: logs, ledgers, review table, queues."""
