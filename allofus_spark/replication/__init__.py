"""Whether associations that are known are seen again."""
