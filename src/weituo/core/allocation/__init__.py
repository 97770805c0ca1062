"""Which agency gets which account: the best assignment within limits, its proof, its price, its fair share of chance.

problem       Problem(accounts, agencies, value_minor, eligible, balance_minor, bucket, limits) · Limits · Infeasible
solver        solve(problem) -> Plan(assignment, value_minor, prices): linear program, then rounding that keeps limits
certificate   bound_minor(problem, prices) · broken(problem, assignment) · value_minor: shares no code with the solver
exploration   reserve(problem, share) · explore(problem, assignment, share, seed) -> Draw(assignment, explored, probability)
rivals        round_robin(problem) · greedy(problem, tiers): how it is done by hand today
effects       shrunk_effects(...): what agencies state about their past, taken with reserve
placing       place(problem, tiers, exploration, seed) -> Placed: all of it in one call · digest(...)

Values are whole minor units relative to keeping the account in-house, which is always allowed and is worth 0.
"""
