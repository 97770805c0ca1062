"""Audit: append-only, hash-chained record of acts. Names are copied as text; ids and figures only, never personal data."""
