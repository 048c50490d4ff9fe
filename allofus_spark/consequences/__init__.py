"""What variants do to transcripts, by an annotator."""
