"""Idempotency: a network may repeat a request; the same key with the same body gets the same answer, once worked."""
