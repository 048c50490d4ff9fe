"""Who may see individual-level data: researchers, their tiers and passports, and the audit."""
