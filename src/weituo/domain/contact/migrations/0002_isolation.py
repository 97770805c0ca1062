from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, OWN_BORROWER, Isolate


class Migration(migrations.Migration):
    dependencies = [("contact", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("contact_permit", agency=("r", OWN_AGENCY)),
        Isolate("contact_attempt", agency=("r", OWN_AGENCY), borrower=("r", OWN_BORROWER)),
        Isolate("contact_violation", agency=("r", OWN_AGENCY)),
        Isolate("contact_preference", borrower=("r", OWN_BORROWER)),
    ]
