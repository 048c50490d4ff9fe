"""Genotypes out of the tables, into the formats of other tools."""
