"""Benchmarks: they measure and say what they saw; no test depends on them."""
