"""Catalogues of known variants: their files, their alleles, and what is said about a catalogue as a whole."""
