"""Sample and variant quality control."""
