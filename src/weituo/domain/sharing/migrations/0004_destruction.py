from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import weituo.foundation.ids
from weituo.foundation.tenancy.operations import OWN_AGENCY, Isolate

CONFIRM_ONLY = """
REVOKE UPDATE ON sharing_destruction FROM weituo_agency;
GRANT UPDATE (confirmed_at, confirmed_by) ON sharing_destruction TO weituo_agency;
DROP POLICY agency_update ON sharing_destruction;
CREATE POLICY agency_update ON sharing_destruction FOR UPDATE TO weituo_agency
  USING (agency_id = (SELECT sec.agency_id()) AND confirmed_at IS NULL)
  WITH CHECK (agency_id = (SELECT sec.agency_id()) AND confirmed_at IS NOT NULL);
"""


class Migration(migrations.Migration):
    """What agencies must destroy because it was taken back; an agency may confirm it once and change nothing else."""

    dependencies = [("sharing", "0003_receipts")]
    operations = [
        migrations.CreateModel(
            name="Destruction",
            fields=[
                (
                    "id",
                    models.UUIDField(default=weituo.foundation.ids.new_id, primary_key=True, serialize=False),
                ),
                (
                    "placements",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
                ("cases", models.IntegerField()),
                ("reason", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("confirmed_by", models.TextField(db_default="")),
                (
                    "agency",
                    models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="partners.agency"),
                ),
                (
                    "package",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.RESTRICT, to="sharing.package"
                    ),
                ),
            ],
            options={"db_table": "sharing_destruction"},
        ),
        migrations.AddConstraint(
            model_name="destruction",
            constraint=models.CheckConstraint(
                condition=Q(cases__gt=0) & Q(placements__len=F("cases")), name="sharing_destruction_counts"
            ),
        ),
        Isolate("sharing_destruction", lender="ri", worker="ri", agency=("ru", OWN_AGENCY)),
        migrations.RunSQL(CONFIRM_ONLY, reverse_sql=migrations.RunSQL.noop),
    ]
