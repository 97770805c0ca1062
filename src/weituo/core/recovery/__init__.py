"""Buckets, roll rates, liquidation curves, the metrics dictionary and expected recovery.

buckets     bucket_of(days_past_due) · bucket_of_months · months_late_of · bucket_expr, bucket_from_months_expr,
            months_late_expr (Polars) · BUCKETS
rolls       roll_rates(history) -> RollRates(counts, rates, n).frame()
curves      liquidation_curve(placements, payments, at, months=12) -> frame per agency and month, censored by age
metrics     METRICS[code] -> Metric(name_zh, name_en, formula, unit, better).value(numerator, denominator)
intervals   wilson(successes, n) · wilson_columns · bootstrap_ratio(numerator, denominator, rng) · linear_ratio -> Interval
features    FEATURES, NAMES, check(frame), from_book(accounts, history, at): what is known at placement
model       RecoveryModel(horizon_weeks, calibration, folds, seed).fit(frame, paid_fraction).predict(frame) ->
            p_pay, fraction_if_paid, expected_fraction, expected_minor · .to_bytes() · from_bytes(artefact,
            expected_digest) · artefact_digest(artefact) · read_header(artefact)
validation  evaluate(model, frame, paid_fraction, bins=10) -> Evaluation · auc · calibration_line · reliability_table

All arguments are keywords, but for the bucket functions' single one; each module's docstring gives shapes and units.
"""
