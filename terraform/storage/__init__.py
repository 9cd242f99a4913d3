"""Files on disk: atomic writes, locks and hashes."""
