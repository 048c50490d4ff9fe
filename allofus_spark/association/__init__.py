"""Scans of phenotypes for association with variants."""
