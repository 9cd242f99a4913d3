"""Base colours of mosaics: where they come from, and their values at pixels."""
