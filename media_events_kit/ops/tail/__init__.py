"""Shows a deployment's events as they come, each with its way and its end."""
