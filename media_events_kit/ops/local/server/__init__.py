"""Runs inside the local cloud's process; nothing else imports it."""
