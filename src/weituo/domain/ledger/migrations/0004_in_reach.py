from __future__ import annotations

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    # not validated: a row that was stored before cannot be corrected by a migration, and must not stop it
    dependencies = [
        ("book", "0002_isolation"),
        ("ledger", "0003_balance"),
        ("partners", "0003_in_reach"),
        ("placement", "0004_isolate_inputs"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="bankline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("received_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("received_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("booked_on__gte", datetime.date(2000, 1, 1)),
                    ("booked_on__lt", datetime.date(2200, 1, 1)),
                ),
                name="ledger_bank_line_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="commissionline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("earned_on__gte", datetime.date(2000, 1, 1)),
                    ("earned_on__lt", datetime.date(2200, 1, 1)),
                ),
                name="ledger_commission_line_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("booked_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("booked_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("value_on__gte", datetime.date(2000, 1, 1)),
                    ("value_on__lt", datetime.date(2200, 1, 1)),
                ),
                name="ledger_entry_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("paid_on__gte", datetime.date(2000, 1, 1)), ("paid_on__lt", datetime.date(2200, 1, 1))
                ),
                name="ledger_payment_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="remittance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reported_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("reported_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("booked_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("booked_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="ledger_remittance_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="remittanceline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("paid_on__gte", datetime.date(2000, 1, 1)), ("paid_on__lt", datetime.date(2200, 1, 1))
                ),
                name="ledger_remittance_line_in_reach",
            ),
        ),
        AddConstraintNotValid(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("drawn_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("drawn_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("agreed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("agreed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("approved_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("approved_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("period_from__gte", datetime.date(2000, 1, 1)),
                    ("period_from__lt", datetime.date(2200, 1, 1)),
                    ("period_to__gte", datetime.date(2000, 1, 1)),
                    ("period_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="ledger_statement_in_reach",
            ),
        ),
    ]
