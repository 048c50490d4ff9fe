"""The variant browser: web pages over a release."""
