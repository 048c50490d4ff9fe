"""Which variants a set of catalogues has, and which were never reported."""
