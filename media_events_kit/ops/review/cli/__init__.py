"""The commands of `media-events review`."""
