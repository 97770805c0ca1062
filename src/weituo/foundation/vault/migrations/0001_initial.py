from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import weituo.foundation.ids
from weituo.foundation.tenancy.operations import Isolate


class Migration(migrations.Migration):
    initial = True
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Subject",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=weituo.foundation.ids.UuidV7(),
                        default=weituo.foundation.ids.new_id,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("wrapped_key", models.BinaryField()),
                ("master_version", models.IntegerField()),
            ],
            options={"db_table": "vault_subject"},
        ),
        migrations.CreateModel(
            name="SealedField",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject_id",
                        "field",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("field", models.TextField()),
                ("position", models.SmallIntegerField(db_default=0)),
                ("sealed", models.BinaryField()),
                ("blind", models.BinaryField(null=True)),
                (
                    "subject",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.RESTRICT, to="vault.subject"
                    ),
                ),
            ],
            options={
                "db_table": "vault_field",
                "indexes": [
                    models.Index(
                        condition=models.Q(("blind__isnull", False)),
                        fields=["field", "blind"],
                        name="vault_field_blind",
                    )
                ],
            },
        ),
        Isolate("vault_subject", auditor=""),
        Isolate("vault_field", auditor="", lender="riud", worker="riud"),
    ]
