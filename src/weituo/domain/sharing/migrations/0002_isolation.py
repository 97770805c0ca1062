from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, Isolate


class Migration(migrations.Migration):
    dependencies = [("sharing", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("sharing_recipient", agency=("r", OWN_AGENCY)),
        Isolate("sharing_package", agency=("ru", OWN_AGENCY)),
        Isolate("sharing_disclosure", agency=("r", OWN_AGENCY)),
    ]
