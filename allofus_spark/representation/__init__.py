"""Who is in the cohort, and which communities are under-represented in biomedical research."""
