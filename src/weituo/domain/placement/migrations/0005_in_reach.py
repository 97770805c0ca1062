from __future__ import annotations

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    # not validated: a row that was stored before cannot be corrected by a migration, and must not stop it
    dependencies = [
        ("book", "0002_isolation"),
        ("partners", "0003_in_reach"),
        ("placement", "0004_isolate_inputs"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("placed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("placed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("ended_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("ended_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("term_to__gte", datetime.date(2000, 1, 1)),
                    ("term_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="placement_placement_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="recoverymodelversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("trained_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("trained_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="placement_model_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("solved_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("solved_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("proposed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("proposed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("as_of__gte", datetime.date(2000, 1, 1)),
                    ("as_of__lt", datetime.date(2200, 1, 1)),
                ),
                name="placement_run_in_reach",
            ),
        ),
    ]
