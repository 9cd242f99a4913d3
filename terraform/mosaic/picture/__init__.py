"""Pictures of whole bodies at the scale of their base colours."""
