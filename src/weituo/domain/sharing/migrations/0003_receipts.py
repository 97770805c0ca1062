from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

RECEIPT_ONLY = """
REVOKE UPDATE ON sharing_package FROM weituo_agency;
GRANT UPDATE (state, acknowledged_at) ON sharing_package TO weituo_agency;
DROP POLICY agency_update ON sharing_package;
CREATE POLICY agency_update ON sharing_package FOR UPDATE TO weituo_agency
  USING (agency_id = (SELECT sec.agency_id()) AND state = 'BUILT')
  WITH CHECK (agency_id = (SELECT sec.agency_id()) AND state = 'ACKNOWLEDGED');
"""


class Migration(migrations.Migration):
    """An agency may confirm a package and nothing else; one live package a run, one live key an agency."""

    dependencies = [("sharing", "0002_isolation")]
    operations = [
        migrations.RunSQL(RECEIPT_ONLY, reverse_sql=migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(
                fields=["agency"], condition=Q(active_to__isnull=True), name="sharing_one_live_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.UniqueConstraint(
                fields=["agency", "run"], condition=~Q(state="REVOKED"), name="sharing_one_live_package"
            ),
        ),
        migrations.AddIndex(
            model_name="disclosure",
            index=models.Index(fields=["disclosed_by", "disclosed_at"], name="sharing_disclosure_rate"),
        ),
    ]
