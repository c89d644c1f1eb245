"""Benchmarks. No test depends on them."""
