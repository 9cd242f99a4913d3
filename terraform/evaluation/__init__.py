"""Judging a trained generator: on Earth beside floors and straw men, on Mars without truth (docs/evaluation.md)."""
