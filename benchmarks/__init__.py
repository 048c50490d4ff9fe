"""Side by side with Hail, PLINK 2 and bcftools: the same work on the same input, cores and memory."""
