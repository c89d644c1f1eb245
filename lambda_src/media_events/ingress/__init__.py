"""Steps 1 and 2: webhooks and queues in, verified and deduplicated (EIP: Channel Adapter, Idempotent Receiver)."""
