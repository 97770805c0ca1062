from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

from weituo.foundation.tenancy.operations import Isolate

SQL = (Path(__file__).parent.parent / "sql" / "0001_chain.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    initial = True
    dependencies = [("tenancy", "0001_roles_and_context")]
    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("actor_kind", models.TextField()),
                ("actor_id", models.TextField()),
                ("actor_name", models.TextField()),
                ("act", models.TextField()),
                ("what", models.TextField()),
                ("ref", models.TextField()),
                ("reason", models.TextField()),
                ("detail", models.JSONField()),
                ("request_id", models.TextField()),
                ("previous_hash", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "audit_entry",
                "indexes": [
                    models.Index(fields=["what", "ref", "seq"], name="audit_entry_object"),
                    models.Index(fields=["act", "seq"], name="audit_entry_act"),
                    models.Index(fields=["actor_id", "seq"], name="audit_entry_actor"),
                ],
            },
        ),
        migrations.RunSQL(SQL, reverse_sql=migrations.RunSQL.noop),
        Isolate("audit_entry", lender="r", worker="r", auditor="r", audited=False, append_only=True),
    ]
