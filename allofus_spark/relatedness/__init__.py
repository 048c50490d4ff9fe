"""Who is related to whom, and a set of samples without relatives."""
