from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent.parent / "sql" / "0003_who_may_change_people.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    """Close the sign-in tables to everybody but an administrator's unit, the program and the sign-in itself."""

    dependencies = [
        ("identity", "0002_seal_second_factors"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("tenancy", "0002_references"),
        ("audit", "0001_initial"),
    ]
    operations = [migrations.RunSQL(SQL, reverse_sql=migrations.RunSQL.noop)]
