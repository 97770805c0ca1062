"""Durable jobs: long work that a page starts and a worker beside the console does, in one table of this database.

A job is taken with `FOR UPDATE SKIP LOCKED` and held by a session's advisory lock: when its worker dies, the lock goes
with the connection and the next worker takes the job up. The work itself is one act, so a killed worker leaves nothing
half done; whether the act had committed before is read from the audit log, under the job's id.
"""
