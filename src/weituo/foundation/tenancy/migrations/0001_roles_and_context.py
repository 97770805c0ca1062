"""Lay the schema that isolation stands on. Login and group roles are made by `weituo database prepare` (superuser)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import migrations

SQL = (Path(__file__).parent.parent / "sql" / "0001_roles_and_context.sql").read_text(encoding="utf-8")


def plant_key(apps: Any, schema_editor: Any) -> None:
    """Store the padded forms of the tenancy key."""
    key: bytes = settings.WEITUO_TENANCY_KEY
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sec.tenancy_key VALUES (1, %s, %s)",
            [bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)],
        )


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.RunSQL(SQL, reverse_sql="DROP SCHEMA sec CASCADE"),
        migrations.RunPython(plant_key, migrations.RunPython.noop),
    ]
