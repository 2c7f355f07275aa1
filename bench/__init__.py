"""Benchmarks: each asserts its answer before it times, beside a NumPy baseline."""
