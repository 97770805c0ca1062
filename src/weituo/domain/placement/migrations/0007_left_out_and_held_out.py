"""A run keeps every account that it left out with its reasons, and which ones were drawn to be held out."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("book", "0006_last_paid_on"), ("placement", "0006_known_at_placement")]
    operations = [
        migrations.AddField(
            model_name="runitem", name="held_out", field=models.CharField(db_default="", max_length=10)
        ),
        migrations.CreateModel(
            name="RunExclusion",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "account_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(max_length=16)),
                ("reasons", models.TextField()),
                (
                    "account",
                    models.ForeignKey(db_index=False, on_delete=models.RESTRICT, to="book.account"),
                ),
                (
                    "run",
                    models.ForeignKey(db_index=False, on_delete=models.RESTRICT, to="placement.run"),
                ),
            ],
            options={
                "db_table": "placement_run_exclusion",
                "indexes": [
                    models.Index(fields=["run", "reason", "account"], name="placement_exclusion_reason")
                ],
            },
        ),
        # what is held out is looked up over all runs
        migrations.RunSQL(
            "CREATE INDEX placement_run_item_held_out ON placement_run_item (account_id) WHERE held_out <> '';",
            reverse_sql="DROP INDEX placement_run_item_held_out;",
        ),
    ]
