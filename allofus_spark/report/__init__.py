"""The report of a release: one page that opens offline."""
