"""Conservation under faults in the deployed whole, on the local cloud."""
