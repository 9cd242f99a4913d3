"""Real servers on loopback for tests: started on free ports, ended by their pids."""
