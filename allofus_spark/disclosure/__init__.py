"""The attacker: what of the counts of few people follows from what is published."""
