"""A deployment on one screen: queues, dead letters, open items, circuit breakers, and whatever needs a person."""
