"""The review desk's page, `media-events review serve`: server-rendered, for one operator, on loopback only.

Everything that it shows or does goes through ``ops.desk``, with the operator's own credentials. What it shows may have
come from an attacker: templates escape every value, and the page's policy lets no script run but the page's own.
"""
