"""How a training runs: logs, checkpoints, locks, devices and processes. No result depends on it."""
