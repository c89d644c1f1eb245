"""Partners are data: what a specification says, and the code that verifies, parses and normalises by it."""
