"""Pairs, their order and augmentation, and the batches made of them."""
