"""Tests run side by side, one process a core: more threads than that would only wait for each other."""

import os

from hypothesis import settings
from servers.fixtures import _file_server, _maps, account, broken_files, broken_maps, earth_engine, file_server, maps  # noqa: F401

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# No test asserts a time: an example that takes long on a busy machine is no fault.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
