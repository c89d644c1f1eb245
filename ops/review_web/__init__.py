"""The review desk's page, `media-events review serve`: server-rendered, for one operator, on loopback only.

It reads and acts through ``ops.review`` alone, with the operator's own credentials. What it shows may have
come from an attacker: templates escape every value, and the page's policy lets no script run but the page's own.
"""
