"""Who belongs to which group of owners, and whose accounts an agency must not get, become dated facts of their own."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

import weituo.foundation.ids
from weituo.foundation.reach import in_reach
from weituo.foundation.tenancy.operations import Isolate

#: a group that was stated at registration holds from the day since which the agency is in its state
STATED = """
INSERT INTO partners_membership (id, agency_id, "group", reason, active_from, entered_by, entered_by_name, entered_at)
SELECT uuidv7(), id, "group", 'stated at registration', state_since::date, 'migration', '', state_since FROM partners_agency WHERE "group" <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("partners", "0003_in_reach")]
    operations = [
        migrations.CreateModel(
            name="Conflict",
            fields=[
                (
                    "id",
                    models.UUIDField(default=weituo.foundation.ids.new_id, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("BORROWER", "borrower"),
                            ("REGION", "region"),
                            ("PRODUCT", "product"),
                            ("EMPLOYER", "employer"),
                        ],
                        max_length=10,
                    ),
                ),
                ("subject", models.TextField()),
                ("reason", models.TextField()),
                ("active_from", models.DateField()),
                ("active_to", models.DateField(null=True)),
                ("entered_by", models.TextField()),
                ("entered_by_name", models.TextField()),
                ("entered_at", models.DateTimeField()),
                ("ended_by_name", models.TextField(db_default="")),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_reason", models.TextField(db_default="")),
                ("agency", models.ForeignKey(on_delete=models.RESTRICT, to="partners.agency")),
            ],
            options={
                "db_table": "partners_conflict",
                "indexes": [models.Index(fields=["kind", "subject"], name="partners_conflict_subject")],
                "constraints": [
                    in_reach(
                        "partners_conflict",
                        times=("entered_at", "ended_at"),
                        days=("active_from", "active_to"),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(default=weituo.foundation.ids.new_id, primary_key=True, serialize=False),
                ),
                ("group", models.TextField()),
                ("reason", models.TextField()),
                ("active_from", models.DateField()),
                ("active_to", models.DateField(null=True)),
                ("entered_by", models.TextField()),
                ("entered_by_name", models.TextField()),
                ("entered_at", models.DateTimeField()),
                ("ended_by_name", models.TextField(db_default="")),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_reason", models.TextField(db_default="")),
                ("agency", models.ForeignKey(on_delete=models.RESTRICT, to="partners.agency")),
            ],
            options={
                "db_table": "partners_membership",
                "constraints": [
                    in_reach(
                        "partners_membership",
                        times=("entered_at", "ended_at"),
                        days=("active_from", "active_to"),
                    ),
                    models.UniqueConstraint(
                        condition=Q(("active_to__isnull", True)),
                        fields=("agency",),
                        name="partners_one_open_group",
                    ),
                ],
            },
        ),
        migrations.RunSQL(STATED, reverse_sql=migrations.RunSQL.noop),
        # rows written in this transaction have checks pending, and a table with pending checks cannot be altered
        migrations.RunSQL(
            "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED", reverse_sql=migrations.RunSQL.noop
        ),
        migrations.RemoveField(model_name="agency", name="group"),
        Isolate("partners_membership"),
        Isolate("partners_conflict"),
    ]
