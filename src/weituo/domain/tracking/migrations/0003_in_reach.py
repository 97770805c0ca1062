from __future__ import annotations

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    # not validated: a row that was stored before cannot be corrected by a migration, and must not stop it
    dependencies = [
        ("partners", "0003_in_reach"),
        ("placement", "0005_in_reach"),
        ("tracking", "0002_isolation"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("raised_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("raised_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("closed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("closed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="tracking_alert_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="promise",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("made_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("made_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("due_on__gte", datetime.date(2000, 1, 1)),
                    ("due_on__lt", datetime.date(2200, 1, 1)),
                ),
                name="tracking_promise_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("held_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("held_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("period_from__gte", datetime.date(2000, 1, 1)),
                    ("period_from__lt", datetime.date(2200, 1, 1)),
                    ("period_to__gte", datetime.date(2000, 1, 1)),
                    ("period_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="tracking_review_in_reach",
            ),
        ),
    ]
