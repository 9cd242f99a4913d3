"""Base colours: what a planet looks like from its climate and its coarse relief, learnt on Earth.

Arrays in, arrays out: numpy, torch, safetensors and pydantic are all it needs.
"""
