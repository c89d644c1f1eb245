"""Console, input files and queue depths, used by several commands."""
