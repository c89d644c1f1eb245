"""The kit's own code on a model of AWS, under faults: nothing is lost, nothing happens twice."""
