from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, Isolate


class Migration(migrations.Migration):
    dependencies = [("partners", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate(
            "partners_agency",
            agency=("r", "id = (SELECT sec.agency_id())"),
            borrower=("r", "(SELECT sec.borrower_id()) IS NOT NULL"),
        ),
        Isolate("partners_paper", agency=("r", OWN_AGENCY)),
        Isolate("partners_assessment"),
        Isolate("partners_proposal"),
        Isolate("partners_agreement", agency=("r", OWN_AGENCY)),
        Isolate(
            "partners_collector",
            agency=("r", OWN_AGENCY),
            borrower=("r", "(SELECT sec.borrower_id()) IS NOT NULL"),
        ),
    ]
