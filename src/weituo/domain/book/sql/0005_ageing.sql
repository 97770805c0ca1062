-- How late an account is belongs to a day. The one rule, beside core/recovery/buckets.py (tests hold the two together).

-- The day from which days past due are counted: known, or counted back from what a statement of the day said; NULL: not late then.
CREATE FUNCTION book_late_since(past_due_since date, stated_days integer, as_of date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(past_due_since, CASE WHEN stated_days > 0 THEN as_of - stated_days END);

-- Days past due on a day; an account that was paid off ages no further.
CREATE FUNCTION book_days_past_due(late_since date, closed_on date, day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(coalesce(least(day, closed_on) - late_since, 0), 0);

CREATE FUNCTION book_bucket(days integer) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (CASE WHEN days <= 0 THEN 'CURRENT' WHEN days > 180 THEN 'M7+' ELSE 'M' || ((days + 29) / 30)::text END)::varchar;
