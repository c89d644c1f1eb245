"""What events cost: the bill by line, before it comes."""
