from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_BORROWER, Isolate


class Migration(migrations.Migration):
    dependencies = [("care", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("care_case", borrower=("ri", OWN_BORROWER)),
        Isolate("care_wish", borrower=("riu", OWN_BORROWER)),
        Isolate("care_access_code"),
    ]
