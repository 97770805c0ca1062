"""The simulated portfolio and agencies. Everybody in it is invented; same seed, same bytes.

book        generate(accounts=20_000, seed=7, as_of) -> TwinBook(borrowers, accounts, history, seed, as_of).digest() ·
            places() · PRODUCTS
history     generate(accounts=20_000, seed=7, placed_on) -> frame of placement-time features with paid_fraction
agencies    all_agencies() -> six Agency · agency(code) · SEGMENTS
behaviour   play_week(agency, cases, week, starts_on, seed, intensity=1.0) -> Play(attempts, promises, payments,
            complaints) · play(..., weeks) · after(cases, played) · OUTCOMES · THEMES
calibration load() -> Calibration: the figures measured on real card clients
identifiers identity_numbers, phone_numbers: well formed, nobody's

All arguments are keywords; each module's docstring gives the schemas of its frames.
"""
