"""Buckets, roll rates, liquidation curves, metrics and expected recovery."""
