from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent.parent / "sql" / "0002_references.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_roles_and_context")]
    operations = [
        migrations.RunSQL(
            SQL,
            reverse_sql="DROP FUNCTION sec.parents_exist() CASCADE; DROP FUNCTION sec.refuse_identity() CASCADE",
        ),
    ]
