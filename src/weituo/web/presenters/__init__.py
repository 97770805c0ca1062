"""Domain data → plain data for templates."""
