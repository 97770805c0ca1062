"""Tracking 进展: promises, liquidation curves against plan, reviews, alerts."""
