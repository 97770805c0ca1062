"""A history is one row an account, and indexes that stood twice go."""

from __future__ import annotations

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from weituo.foundation.tenancy.operations import Isolate

MOVE = """
INSERT INTO book_repayment_history (account_id, newest_month, bill_minor, paid_minor, months_late)
SELECT s.account_id, s.newest, array_agg(m.bill_minor ORDER BY s.month DESC), array_agg(m.paid_minor ORDER BY s.month DESC), array_agg(m.months_late ORDER BY s.month DESC)
FROM (SELECT account_id, max(month) AS newest, generate_series(min(month), max(month), interval '1 month')::date AS month FROM book_repayment_month GROUP BY account_id) s
LEFT JOIN book_repayment_month m USING (account_id, month) GROUP BY s.account_id, s.newest
"""
VIEW = (Path(__file__).parent.parent / "sql" / "0003_repayment_month.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("book", "0002_isolation")]
    operations = [
        migrations.CreateModel(
            name="RepaymentHistory",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.RESTRICT,
                        primary_key=True,
                        serialize=False,
                        to="book.account",
                    ),
                ),
                ("newest_month", models.DateField()),
                (
                    "bill_minor",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(null=True), size=None
                    ),
                ),
                (
                    "paid_minor",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(null=True), size=None
                    ),
                ),
                (
                    "months_late",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(null=True), size=None
                    ),
                ),
            ],
            options={"db_table": "book_repayment_history"},
        ),
        migrations.AddConstraint(
            model_name="repaymenthistory",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("bill_minor__len", models.F("paid_minor__len")),
                    ("paid_minor__len", models.F("months_late__len")),
                ),
                name="book_repayment_history_even",
            ),
        ),
        migrations.RunSQL(MOVE, reverse_sql=migrations.RunSQL.noop),
        migrations.DeleteModel(name="RepaymentMonth"),
        Isolate("book_repayment_history", borrower=("r", "account_id IN (SELECT id FROM book_account)")),
        migrations.RunSQL(VIEW, reverse_sql="DROP VIEW book_repayment_month"),
        migrations.AlterField(model_name="account", name="external_ref", field=models.TextField()),
        migrations.AlterField(model_name="borrower", name="external_ref", field=models.TextField()),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(fields=("external_ref",), name="book_account_once"),
        ),
        migrations.AddConstraint(
            model_name="borrower",
            constraint=models.UniqueConstraint(fields=("external_ref",), name="book_borrower_once"),
        ),
        migrations.AlterField(
            model_name="contactpoint",
            name="borrower",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.RESTRICT, to="book.borrower"
            ),
        ),
    ]
