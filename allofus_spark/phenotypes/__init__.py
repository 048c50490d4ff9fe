"""Phenotypes of people from their health records."""
