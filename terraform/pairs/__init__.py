"""Pairs of elevation and imagery: the relief as a condition, the cut, the store."""
