from __future__ import annotations

import datetime

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import weituo.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("book", "0005_ageing"),
        ("partners", "0005_answers"),
        ("placement", "0008_isolate_left_out"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=weituo.foundation.ids.new_id, primary_key=True, serialize=False),
                ),
                ("reason", models.CharField(max_length=24)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("OPEN", "open"),
                            ("FINAL", "final"),
                            ("WITHDRAWN", "withdrawn"),
                            ("OVERTAKEN", "overtaken: the placement ended otherwise"),
                        ],
                        db_default="OPEN",
                        max_length=10,
                    ),
                ),
                ("noticed_at", models.DateTimeField()),
                ("noticed_by", models.TextField()),
                ("told_final_on", models.DateField()),
                ("final_on", models.DateField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_reason", models.TextField(db_default="")),
            ],
            options={
                "db_table": "placement_notice",
            },
        ),
        migrations.CreateModel(
            name="Objection",
            fields=[
                (
                    "id",
                    models.UUIDField(default=weituo.foundation.ids.new_id, primary_key=True, serialize=False),
                ),
                ("code", models.CharField(max_length=24)),
                ("text", models.TextField(db_default="")),
                ("evidence_on", models.DateField(null=True)),
                ("evidence_minor", models.BigIntegerField(null=True)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("OPEN", "open"),
                            ("UPHELD", "upheld"),
                            ("REJECTED", "rejected"),
                            ("OVERTAKEN", "overtaken"),
                        ],
                        db_default="OPEN",
                        max_length=10,
                    ),
                ),
                ("decided_how", models.CharField(db_default="", max_length=8)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.TextField(db_default="")),
                ("decision_reason", models.TextField(db_default="")),
                ("stays_until", models.DateField(null=True)),
            ],
            options={
                "db_table": "placement_objection",
            },
        ),
        migrations.CreateModel(
            name="Refill",
            fields=[
                (
                    "id",
                    models.UUIDField(default=weituo.foundation.ids.new_id, primary_key=True, serialize=False),
                ),
                ("number", models.IntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("OFFERED", "placed again"),
                            ("NO_AGENCY", "no other agency may take it"),
                            ("NO_PLACE", "no other agency has a place worth it"),
                            ("STOPPED", "not to be placed any more"),
                        ],
                        max_length=10,
                    ),
                ),
                ("net_before_minor", models.BigIntegerField()),
                ("net_after_minor", models.BigIntegerField()),
                ("refilled_at", models.DateTimeField()),
                ("refilled_by", models.TextField()),
            ],
            options={
                "db_table": "placement_refill",
            },
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                (
                    "id",
                    models.UUIDField(default=weituo.foundation.ids.new_id, primary_key=True, serialize=False),
                ),
                ("number", models.SmallIntegerField()),
                ("term_from", models.DateField()),
                ("term_to", models.DateField()),
                ("reason", models.TextField()),
                ("retained_at", models.DateTimeField()),
                ("retained_by", models.TextField()),
            ],
            options={
                "db_table": "placement_retention",
            },
        ),
        migrations.CreateModel(
            name="Terms",
            fields=[
                ("version", models.IntegerField(primary_key=True, serialize=False)),
                ("answer_days", models.SmallIntegerField()),
                ("notice_days", models.SmallIntegerField()),
                ("retention_times_max", models.SmallIntegerField()),
                ("retention_months_max", models.SmallIntegerField()),
                ("upheld_days", models.JSONField(default=dict)),
                ("set_at", models.DateTimeField()),
                ("set_by", models.TextField()),
                ("reason", models.TextField()),
            ],
            options={
                "db_table": "placement_terms",
            },
        ),
        migrations.RemoveConstraint(
            model_name="placement",
            name="placement_one_active_per_account",
        ),
        migrations.RemoveConstraint(
            model_name="placement",
            name="placement_ended_when_not_active",
        ),
        migrations.RemoveConstraint(
            model_name="placement",
            name="placement_placement_in_reach",
        ),
        migrations.AddField(
            model_name="placement",
            name="answer_by",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="placement",
            name="answer_note",
            field=models.TextField(db_default=""),
        ),
        migrations.AddField(
            model_name="placement",
            name="answer_reason",
            field=models.CharField(db_default="", max_length=24),
        ),
        migrations.AddField(
            model_name="placement",
            name="answered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="placement",
            name="answered_by",
            field=models.TextField(db_default=""),
        ),
        migrations.AddField(
            model_name="placement",
            name="offered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="placement",
            name="recall_final_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="placement",
            name="retained",
            field=models.SmallIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="run",
            name="terms",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AlterField(
            model_name="placement",
            name="placed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="placement",
            name="state",
            field=models.CharField(
                choices=[
                    ("OFFERED", "offered"),
                    ("ACTIVE", "active"),
                    ("DECLINED", "declined"),
                    ("LAPSED", "not answered in time"),
                    ("WITHDRAWN", "offer withdrawn"),
                    ("RECALLED", "recalled"),
                    ("EXPIRED", "expired"),
                    ("CLOSED", "closed"),
                ],
                db_default="ACTIVE",
                max_length=10,
            ),
        ),
        AddConstraintNotValid(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("placed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("placed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("offered_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("offered_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("answer_by__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("answer_by__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("answered_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("answered_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("ended_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("ended_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("term_to__gte", datetime.date(2000, 1, 1)),
                    ("term_to__lt", datetime.date(2200, 1, 1)),
                    ("recall_final_on__gte", datetime.date(2000, 1, 1)),
                    ("recall_final_on__lt", datetime.date(2200, 1, 1)),
                ),
                name="placement_placement_in_reach",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("OFFERED", "ACTIVE"))),
                fields=("account",),
                name="placement_one_live_per_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("OFFERED", "ACTIVE")), ("ended_at__isnull", False), _connector="XOR"
                ),
                name="placement_ended_when_not_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("OFFERED", "DECLINED", "LAPSED", "WITHDRAWN")),
                    ("placed_at__isnull", False),
                    _connector="XOR",
                ),
                name="placement_entrusted_once_accepted",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "OFFERED"), _negated=True),
                    models.Q(("answer_by__isnull", False), ("offered_at__isnull", False)),
                    _connector="OR",
                ),
                name="placement_offer_has_deadline",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(("recall_final_on__isnull", True), ("state", "ACTIVE"), _connector="OR"),
                name="placement_notice_while_active",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="agency",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="partners.agency"),
        ),
        migrations.AddField(
            model_name="notice",
            name="placement",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="placement.placement"),
        ),
        migrations.AddField(
            model_name="objection",
            name="agency",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="partners.agency"),
        ),
        migrations.AddField(
            model_name="objection",
            name="notice",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="placement.notice"),
        ),
        migrations.AddField(
            model_name="refill",
            name="account",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="book.account"),
        ),
        migrations.AddField(
            model_name="refill",
            name="from_placement",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="refilled_by",
                to="placement.placement",
            ),
        ),
        migrations.AddField(
            model_name="refill",
            name="run",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="placement.run"),
        ),
        migrations.AddField(
            model_name="refill",
            name="to_placement",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="refills",
                to="placement.placement",
            ),
        ),
        migrations.AddField(
            model_name="retention",
            name="agency",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="partners.agency"),
        ),
        migrations.AddField(
            model_name="retention",
            name="placement",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="placement.placement"),
        ),
        migrations.AddConstraint(
            model_name="terms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("set_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("set_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="placement_terms_in_reach",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("noticed_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("noticed_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("ended_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("ended_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("told_final_on__gte", datetime.date(2000, 1, 1)),
                    ("told_final_on__lt", datetime.date(2200, 1, 1)),
                    ("final_on__gte", datetime.date(2000, 1, 1)),
                    ("final_on__lt", datetime.date(2200, 1, 1)),
                ),
                name="placement_notice_in_reach",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "OPEN")), fields=("placement",), name="placement_one_open_notice"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "OPEN"), ("ended_at__isnull", False), _connector="XOR"),
                name="placement_notice_ended",
            ),
        ),
        migrations.AddConstraint(
            model_name="objection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("made_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("made_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("decided_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("evidence_on__gte", datetime.date(2000, 1, 1)),
                    ("evidence_on__lt", datetime.date(2200, 1, 1)),
                    ("stays_until__gte", datetime.date(2000, 1, 1)),
                    ("stays_until__lt", datetime.date(2200, 1, 1)),
                ),
                name="placement_objection_in_reach",
            ),
        ),
        migrations.AddConstraint(
            model_name="objection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "OPEN")), fields=("notice",), name="placement_one_open_objection"
            ),
        ),
        migrations.AddConstraint(
            model_name="objection",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "OPEN"), ("decided_at__isnull", False), _connector="XOR"),
                name="placement_objection_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="refill",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refilled_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("refilled_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="placement_refill_in_reach",
            ),
        ),
        migrations.AddConstraint(
            model_name="refill",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome", "OFFERED"), ("to_placement__isnull", True), _connector="XOR"),
                name="placement_refill_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="retention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retained_at__gte", datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("retained_at__lt", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("term_from__gte", datetime.date(2000, 1, 1)),
                    ("term_from__lt", datetime.date(2200, 1, 1)),
                    ("term_to__gte", datetime.date(2000, 1, 1)),
                    ("term_to__lt", datetime.date(2200, 1, 1)),
                ),
                name="placement_retention_in_reach",
            ),
        ),
        migrations.AddConstraint(
            model_name="retention",
            constraint=models.UniqueConstraint(
                fields=("placement", "number"), name="placement_retention_number"
            ),
        ),
    ]
