"""Small and hard: each job to exactly one agent within capacities, at the least cost, with a lower bound.

problem      Generalised(cost, resource, capacity) · read_text(text): the public text format · GeneralisedError
solving      solve(problem, seed, time_limit, threads) -> GeneralisedSolution(agent, cost, bound, gap, …) · NoAssignment
multipliers  capacity_prices · climb: multipliers of the jobs whose knapsacks give the bound
search       anneal: ejection chains under annealing
exhausting   exhaust: small problems to the end
checking     recount(problem, agent) · lower_bound(problem, multipliers): shares no code with the search
"""
