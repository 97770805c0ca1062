"""Decisions and mathematics as pure functions: no Django, no database, no files to write, no clock."""
