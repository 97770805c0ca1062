"""Placement 委案: value estimates, runs, approval, placements, recall."""
