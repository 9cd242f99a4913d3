"""The stages of a whole body: its climate, the base model, its base colours; files in, files out."""
