"""The review desk: what an operator does about what failed for good.

``desk``, ``operations``, ``records`` and ``office`` are the domain, free of what shows it: the command (``commands``,
``actions``, ``showing``) and the page build on the same functions. ``wiring`` puts it together for a deployment.
"""
