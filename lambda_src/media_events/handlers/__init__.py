"""One file per Lambda function: read the settings once, wire the parts, and map the outcome."""
