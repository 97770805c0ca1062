-- One row an account and month, read with the reader's own rights; months of which the file says nothing are no rows.
CREATE VIEW book_repayment_month WITH (security_invoker = true) AS
SELECT h.account_id, (h.newest_month - make_interval(months => (m.place - 1)::int))::date AS month, m.bill_minor, m.paid_minor, m.months_late
FROM book_repayment_history h
CROSS JOIN LATERAL unnest(h.bill_minor, h.paid_minor, h.months_late) WITH ORDINALITY AS m (bill_minor, paid_minor, months_late, place)
WHERE num_nonnulls(m.bill_minor, m.paid_minor, m.months_late) > 0;
GRANT SELECT ON book_repayment_month TO weituo_lender, weituo_worker, weituo_auditor, weituo_borrower;
