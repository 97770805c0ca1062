from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import Isolate

#: tables, functions and types of a queue that earlier versions installed and never used
_DROP_UNUSED_QUEUE = """
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname LIKE 'procrastinate\\_%' LOOP
    EXECUTE format('DROP TABLE public.%I CASCADE', found.relname);
  END LOOP;
  FOR found IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'procrastinate\\_%' LOOP
    EXECUTE 'DROP FUNCTION ' || found.name || ' CASCADE';
  END LOOP;
  FOR found IN SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'c') AND t.typname LIKE 'procrastinate\\_%' LOOP
    EXECUTE format('DROP TYPE public.%I CASCADE', found.typname);
  END LOOP;
  DELETE FROM django_migrations WHERE app = 'procrastinate';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial"), ("tenancy", "0001_roles_and_context")]
    operations = [
        # not audited: asking and progress are no business; the act that a job does writes its own entry
        Isolate("jobs_job", lender="ri", worker="riu", audited=False),
        migrations.RunSQL(_DROP_UNUSED_QUEUE, reverse_sql=migrations.RunSQL.noop),
    ]
