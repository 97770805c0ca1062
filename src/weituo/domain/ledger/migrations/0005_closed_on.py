"""Accounts that payments closed name the day; what payments took off since the file is kept beside the balance."""

from __future__ import annotations

from django.db import migrations

FROM_PAYMENTS = """
WITH paid AS (
    SELECT p.account_id, max(p.paid_on) AS last_on, sum(p.amount_minor - p.unapplied_minor)::bigint AS minor FROM ledger_payment p
    WHERE NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = p.entry_id) GROUP BY p.account_id)
UPDATE book_account a SET lowered_minor = paid.minor, closed_on = CASE WHEN a.status = 'CLOSED' THEN paid.last_on END
FROM paid WHERE paid.account_id = a.id
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_in_reach"), ("book", "0005_ageing")]
    operations = [migrations.RunSQL(FROM_PAYMENTS, reverse_sql=migrations.RunSQL.noop)]
