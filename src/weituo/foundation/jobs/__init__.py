"""Durable jobs on the same PostgreSQL (procrastinate): a job deferred in a unit that rolls back never existed."""
