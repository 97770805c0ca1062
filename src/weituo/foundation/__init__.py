"""What every room stands on: identity, tenancy, vault, audit, jobs, acts, transactions, events, clock. No business words."""
