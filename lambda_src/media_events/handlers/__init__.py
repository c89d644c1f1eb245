"""One thin file per Lambda function: read settings once, parse, call one function, map the outcome."""
