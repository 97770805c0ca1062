from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, Isolate


class Migration(migrations.Migration):
    dependencies = [("idempotency", "0001_initial"), ("tenancy", "0001_roles_and_context")]
    operations = [
        Isolate("idempotency_answer", lender="r", worker="rd", agency=("riud", OWN_AGENCY), audited=False),
    ]
