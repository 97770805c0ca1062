"""Tenancy: who acts, under which database role, seeing which rows. Held by PostgreSQL, not by Python alone.

Login roles: `weituo_owner` (migrations only), `weituo_app` (lender, auditor and worker), `weituo_app_agency`,
`weituo_app_borrower`. The last two see nothing by themselves; each transaction assumes the role of the actor's kind
(`SET LOCAL ROLE`) under a signed context that the database checks (kind, agency, borrower, expiry, backend).
"""
