from __future__ import annotations

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    # not validated: a row that was stored before cannot be corrected by a migration, and must not stop it
    dependencies = [
        ("book", "0002_isolation"),
        ("partners", "0003_in_reach"),
        ("plans", "0002_isolation"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="milestone",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("done_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("done_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("due_on__gte", datetime.date(2000, 1, 1)),
                    ("due_on__lt", datetime.date(2200, 1, 1)),
                ),
                name="plans_milestone_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lender_signed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("lender_signed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("agency_signed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("agency_signed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("active_from__gte", datetime.date(2000, 1, 1)),
                    ("active_from__lt", datetime.date(2200, 1, 1)),
                    ("active_to__gte", datetime.date(2000, 1, 1)),
                    ("active_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="plans_plan_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="strategy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("made_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("made_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("published_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("published_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="plans_strategy_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="treatment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="plans_treatment_in_reach",
            ),
        ),
    ]
