"""``make chaos-mutants``: breaks the code on purpose, and shows which model run or unit test notices.

A mutant is a text of the code and the text in its place (``mutant.py``). The lists are by subject, and ``catalogue.py``
has all of them. Most must be noticed by the fault model alone; a mutant that names a test is noticed by that one.
"""
