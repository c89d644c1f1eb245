"""A change of a deployed system, judged before it is applied: what it would lose, repeat or fail on."""
