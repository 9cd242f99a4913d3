"""The climate of a body without weather stations: insolation, winds, temperature, rain, and what they add up to."""
