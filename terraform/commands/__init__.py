"""The commands of `python -m terraform`: each is one call into the package, imported when it runs."""
