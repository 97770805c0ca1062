from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, Isolate


class Migration(migrations.Migration):
    dependencies = [("plans", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("plans_plan", agency=("ru", OWN_AGENCY)),
        Isolate("plans_target", agency=("r", OWN_AGENCY), lender="riud"),
        Isolate("plans_milestone", agency=("ru", OWN_AGENCY), lender="riud"),
        Isolate("plans_strategy"),
        Isolate("plans_strategy_row", lender="riud"),
        Isolate("plans_treatment", lender="riud", worker="riud"),
    ]
