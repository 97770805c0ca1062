from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, Isolate


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("tracking_promise", agency=("ri", OWN_AGENCY)),
        Isolate("tracking_review", agency=("r", OWN_AGENCY)),
        Isolate("tracking_alert"),
    ]
