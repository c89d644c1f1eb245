"""Discovery of a deployment: its tables, queues, functions and topology."""
