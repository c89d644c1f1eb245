"""Event-driven media workflows: the code that runs in the kit's Lambda functions."""
