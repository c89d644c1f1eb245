"""The state of a deployment on one screen: queues, dead letters, open items, breakers, and what needs a person now."""
