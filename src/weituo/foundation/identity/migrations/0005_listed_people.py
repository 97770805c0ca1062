from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0004_close_administers"),
    ]

    operations = [
        migrations.CreateModel(
            name="ListedKey",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
                ("agency_id", models.UUIDField()),
                ("prefix", models.TextField()),
                ("active_from", models.DateTimeField()),
                ("active_to", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "identity_key",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("username", models.TextField()),
                ("display_name", models.TextField()),
                ("role", models.TextField()),
                ("agency_id", models.UUIDField(null=True)),
                ("is_active", models.BooleanField()),
                ("date_joined", models.DateTimeField()),
                ("last_login", models.DateTimeField(null=True)),
                ("second_factor", models.BooleanField()),
            ],
            options={
                "db_table": "identity_person",
                "managed": False,
            },
        ),
    ]
