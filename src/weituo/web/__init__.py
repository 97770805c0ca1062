"""Faces on the web: console (lender), agency portal, borrower pages. They translate; the domain decides."""
