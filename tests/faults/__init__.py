"""Our own code on a model of AWS, under faults: no event is lost and none is delivered twice."""
