from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import Isolate


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("evaluation_evaluation"),
        Isolate("evaluation_scorecard"),
        Isolate("evaluation_decision"),
    ]
