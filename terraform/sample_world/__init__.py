"""Synthetic planets, computed from a seed: nothing of them is observed."""
