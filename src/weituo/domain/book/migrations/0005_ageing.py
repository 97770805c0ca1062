"""How late an account is belongs to a day; a file may bring the figures of accounts that stand."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations, models
from django.db.models import Q

SQL = Path(__file__).parent.parent / "sql"
RULE = (SQL / "0005_ageing.sql").read_text(encoding="utf-8")
ACCOUNTS = (SQL / "0005_account_on.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("book", "0004_references_by_statement")]
    operations = [
        migrations.RemoveIndex(model_name="account", name="book_account_bucket"),
        migrations.RemoveField(model_name="account", name="bucket"),
        migrations.AddField(model_name="account", name="closed_on", field=models.DateField(null=True)),
        migrations.AddField(
            model_name="account", name="lowered_minor", field=models.BigIntegerField(db_default=0)
        ),
        migrations.AddField(model_name="account", name="refreshed_by", field=models.UUIDField(null=True)),
        # the ledger, which knows the day of the last payment, says it more exactly in a migration of its own
        migrations.RunSQL(
            "UPDATE book_account SET closed_on = as_of WHERE status = 'CLOSED'",
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=Q(("closed_on__isnull", True), ("status", "OPEN"))
                | Q(("closed_on__isnull", False), ("status", "CLOSED")),
                name="book_account_closed_on_a_day",
            ),
        ),
        migrations.RemoveConstraint(model_name="importfile", name="book_import_once"),
        migrations.AddField(
            model_name="importfile",
            name="profile_digest",
            field=models.CharField(db_default="", max_length=64),
        ),
        migrations.AddConstraint(
            model_name="importfile",
            constraint=models.UniqueConstraint(
                fields=("digest", "profile", "profile_digest", "as_of"), name="book_import_once"
            ),
        ),
        migrations.RunSQL(RULE, reverse_sql="DROP FUNCTION book_bucket, book_days_past_due, book_late_since"),
        migrations.AddField(
            model_name="account",
            name="late_since",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    models.F("past_due_since"),
                    models.F("days_past_due"),
                    models.F("as_of"),
                    function="book_late_since",
                ),
                null=True,
                output_field=models.DateField(),
            ),
        ),
        migrations.AddIndex(
            model_name="account", index=models.Index(fields=["late_since", "id"], name="book_account_late")
        ),
        migrations.RunSQL(ACCOUNTS, reverse_sql="DROP FUNCTION book_account_on"),
    ]
