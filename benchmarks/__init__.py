"""Measurements against plain references, as ratios: `python -m benchmarks` runs all, `make bench` prints the table.

Import `benchmarks.measure` before torch: it decides how idle threads wait.
"""
