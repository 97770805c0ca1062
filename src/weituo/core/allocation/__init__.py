"""Which agency gets which account: the best assignment within limits, its proof, its price, its fair share of chance.

placing       place(question, seed, share, …) -> Placed: a run in one call, in whole minor units; what the domain asks
problem       problem(value, balance, segment, limits…) -> Problem: accounts × agencies, checked
solver        solve(problem) -> Solution(agency, value, bound, prices): the best assignment, and how near to it
checker       check(problem, agency, price, money): value and bound recomputed; shares no code with the solver
feasibility   Infeasible: why no assignment keeps all limits, and the least that would have to give
explaining    what each limit is worth, what each rule costs, why an account is where it is
exploration   explore(problem, price, money, keys, …) -> Draw: who is drawn by chance, and with what chance exactly
holding       hold_out(problem, keys, agency, share, …) -> HeldOut: who stays in-house so that outsourcing can be measured
changing      resolve(problem, before, stickiness) -> Changed: what must change, and why each account moved
rivals        round_robin · by_tier: how it is done by hand today; broken: which limits an assignment breaks
effects       shrunk_effects(...): what agencies state about their past, taken with reserve
keying        keyed(seed, purpose, keys): numbers by chance that anyone can draw again

In-house work and leaving an account alone are agencies like the others; `placing` adds in-house as the last column, worth 0.
"""
