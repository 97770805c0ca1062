from __future__ import annotations

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    # not validated: a row that was stored before cannot be corrected by a migration, and must not stop it
    dependencies = [
        ("partners", "0002_isolation"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="agency",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state_since__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("state_since__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="partners_agency_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("active_from__gte", datetime.date(2000, 1, 1)),
                    ("active_from__lt", datetime.date(2200, 1, 1)),
                    ("active_to__gte", datetime.date(2000, 1, 1)),
                    ("active_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="partners_agreement_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="assessment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("assessed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("assessed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="partners_assessment_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="collector",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("registered_on__gte", datetime.date(2000, 1, 1)),
                    ("registered_on__lt", datetime.date(2200, 1, 1)),
                    ("trained_until__gte", datetime.date(2000, 1, 1)),
                    ("trained_until__lt", datetime.date(2200, 1, 1)),
                    ("active_to__gte", datetime.date(2000, 1, 1)),
                    ("active_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="partners_collector_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="paper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verified_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("verified_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("valid_from__gte", datetime.date(2000, 1, 1)),
                    ("valid_from__lt", datetime.date(2200, 1, 1)),
                    ("valid_to__gte", datetime.date(2000, 1, 1)),
                    ("valid_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="partners_paper_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("proposed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("proposed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="partners_proposal_in_reach",
            ),
        ),
    ]
