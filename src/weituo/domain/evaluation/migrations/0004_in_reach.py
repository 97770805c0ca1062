from __future__ import annotations

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    # not validated: a row that was stored before cannot be corrected by a migration, and must not stop it
    dependencies = [
        ("evaluation", "0003_decision_detail"),
        ("partners", "0003_in_reach"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="evaluation_decision_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="evaluation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("made_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("made_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("period_from__gte", datetime.date(2000, 1, 1)),
                    ("period_from__lt", datetime.date(2200, 1, 1)),
                    ("period_to__gte", datetime.date(2000, 1, 1)),
                    ("period_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="evaluation_evaluation_in_reach",
            ),
        ),
    ]
