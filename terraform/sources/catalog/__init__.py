"""Data sets, one module each, with the name that config gives them."""
