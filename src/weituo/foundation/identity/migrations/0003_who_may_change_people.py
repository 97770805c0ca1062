from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

SQL = (Path(__file__).parent.parent / "sql" / "0003_who_may_change_people.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    """Close the sign-in tables to everybody but an administrator's unit, the program and the sign-in itself."""

    dependencies = [
        ("identity", "0002_seal_second_factors"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("tenancy", "0002_references"),
        ("audit", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(SQL, reverse_sql=migrations.RunSQL.noop),
        migrations.CreateModel(
            name="ListedKey",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("agency_id", models.UUIDField()),
                ("prefix", models.TextField()),
                ("active_from", models.DateTimeField()),
                ("active_to", models.DateTimeField(null=True)),
            ],
            options={"db_table": "identity_key", "managed": False},
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("username", models.TextField()),
                ("display_name", models.TextField()),
                ("role", models.TextField()),
                ("agency_id", models.UUIDField(null=True)),
                ("is_active", models.BooleanField()),
                ("date_joined", models.DateTimeField()),
                ("last_login", models.DateTimeField(null=True)),
                ("second_factor", models.BooleanField()),
            ],
            options={"db_table": "identity_person", "managed": False},
        ),
    ]
