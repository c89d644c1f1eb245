"""What touches AWS: thin classes around a client that they are given, each fulfilling a protocol of the domain."""
