-- Accounts as they are on a day, read with the reader's own rights. Plain enough for the planner to see through, so that conditions
-- on columns use the table's indexes. A bucket on a day is a range of `late_since`, which is a column because an expression
-- could not be looked up in an index before row-level security has let a row pass.
CREATE FUNCTION book_account_on(day date) RETURNS TABLE (
  id uuid, borrower_id uuid, external_ref text, product varchar, currency varchar, principal_minor bigint, interest_minor bigint,
  fee_minor bigint, balance_minor bigint, credit_limit_minor bigint, opened_on date, past_due_since date, late_since date,
  stated_days integer, days_past_due integer, bucket varchar, region varchar, as_of date, status varchar, closed_on date,
  lowered_minor bigint, import_file_id uuid, refreshed_by uuid)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT a.id, a.borrower_id, a.external_ref, a.product, a.currency, a.principal_minor, a.interest_minor, a.fee_minor, a.balance_minor,
  a.credit_limit_minor, a.opened_on, a.past_due_since, a.late_since, a.days_past_due,
  public.book_days_past_due(a.late_since, a.closed_on, book_account_on.day),
  public.book_bucket(public.book_days_past_due(a.late_since, a.closed_on, book_account_on.day)), a.region, a.as_of, a.status,
  a.closed_on, a.lowered_minor, a.import_file_id, a.refreshed_by
FROM public.book_account a
$$;
