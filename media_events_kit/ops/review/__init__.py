"""Review of events that failed for good.

``service``, ``use_cases``, ``bulk_operations`` and ``editing`` are used by the command (``cli``) and by the page alike.
"""
