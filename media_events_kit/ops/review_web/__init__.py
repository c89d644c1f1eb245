"""The review page, `media-events review serve`: rendered on the server, for one operator, on loopback only.

It reads and acts through ``media_events_kit.ops.review`` alone, with the operator's own credentials. Its content may
come from an attacker: templates escape every value, and the content security policy allows no script but the page's
own.
"""
