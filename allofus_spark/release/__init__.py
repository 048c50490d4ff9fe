"""Releases: summary data made public."""
