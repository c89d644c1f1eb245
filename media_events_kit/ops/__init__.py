"""The operator side of the kit: the `media-events` command. Never shipped to Lambda."""
