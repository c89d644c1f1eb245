"""What runs inside the local cloud's process; imported by nothing else."""
