from __future__ import annotations

from typing import Any

from django.db import migrations

from weituo.foundation.identity import second_factor


def seal(apps: Any, schema_editor: Any) -> None:
    """Seal the second factors that were stored in the clear."""
    factors = apps.get_model("mfa", "Authenticator").objects.using(schema_editor.connection.alias)
    for factor in factors.all():
        factor.data = second_factor.sealed_data(factor.data)
        factor.save(update_fields=["data"])


class Migration(migrations.Migration):
    """Seal the secrets of second factors with the vault's master keys."""

    dependencies = [("identity", "0001_initial"), ("mfa", "0003_authenticator_type_uniq")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
