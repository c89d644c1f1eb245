"""The demonstration: real payloads, signed as their senders sign them, through the whole path."""
