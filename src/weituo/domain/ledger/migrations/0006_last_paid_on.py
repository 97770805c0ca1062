"""Accounts that money was booked for name the day of the last of it."""

from __future__ import annotations

from django.db import migrations

FROM_PAYMENTS = """
WITH paid AS (
    SELECT p.account_id, max(p.paid_on) AS last_on FROM ledger_payment p
    WHERE p.amount_minor > p.unapplied_minor AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = p.entry_id)
    GROUP BY p.account_id)
UPDATE book_account a SET last_paid_on = paid.last_on FROM paid WHERE paid.account_id = a.id
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_closed_on"), ("book", "0006_last_paid_on")]
    operations = [migrations.RunSQL(FROM_PAYMENTS, reverse_sql=migrations.RunSQL.noop)]
