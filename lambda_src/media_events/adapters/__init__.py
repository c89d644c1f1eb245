"""The adapters to AWS: thin classes around a given client, each of which implements a protocol of the domain."""
