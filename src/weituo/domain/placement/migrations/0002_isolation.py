from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, OWN_BORROWER, Isolate


class Migration(migrations.Migration):
    dependencies = [("placement", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("placement_model"),
        Isolate("placement_run"),
        Isolate("placement_run_item"),
        Isolate("placement_placement", agency=("r", OWN_AGENCY), borrower=("r", OWN_BORROWER)),
    ]
