"""Ejection chains under annealing: how good assignments are found.

What counts is the distance from the bound of the linear program: Σ_j reduced cost + Σ_i λ_i · room left, and more than λ_i for
what an agent holds too much. Room is priced softly at first and in earnest at the end (`firmness`), while the temperature falls, so
that jobs settle at cheap agents first and fill the agents to the last unit afterwards.

One chain: a job moves to another agent; a job there is put out to a third one, and so on. While a chain is open, neither the agent
that gave the first job nor the one that took the last is counted: only agents whose account is settled. At every link the best
way to end the chain is taken if Metropolis' rule accepts it, else one of the cheapest ways to go on, drawn with noise.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

#: links of a chain at most
LINKS_MAX: Final = 8
#: chains between two looks at the work done
_BLOCK: Final = 500
#: how many temperatures above the drawn limit an open chain may stand
_OPEN: Final = 3.0
_ENDLESS: Final = 1e300


class Board(NamedTuple):
    """What never changes: reduced cost and resource by agent and by job, cost by agent, and each job's cheapest agents."""

    cost: Any  # (m, n)
    reduced: Any  # (m, n)
    resource: Any  # (m, n)
    reduced_of: Any  # (n, m)
    resource_of: Any  # (n, m)
    capacity: Any  # (m,)
    room: Any  # (m,)
    near: Any  # (n, l) agents in order of reduced cost
    near_count: Any  # (n,)
    price: Any  # (m,) what a unit left over costs
    fine: Any  # (m,) what a unit too much costs, before the surcharge


class Stand(NamedTuple):
    """What changes: agent of each job, what lies too much on each agent, the jobs of each agent, the best found."""

    agent: Any  # (n,)
    excess: Any  # (m,)
    jobs: Any  # (m, n)
    count: Any  # (m,)
    place: Any  # (n,)
    mark: Any  # (n,)
    best: Any  # (n,)
    figures: Any  # cost now, least cost found, work done, marks used
    random: Any  # state of the generator
    found: Any  # best end and next link of the chain under way
    chain_job: Any
    chain_from: Any
    left: Any  # (m,) price of a unit left over, now
    over: Any  # (m,) price of a unit too much, now


COST, BEST, WORK, MARK = 0, 1, 2, 3


def stand(board: Board, agent: Any, *, seed: int) -> Stand:
    """Set up an assignment."""
    m, n = board.cost.shape
    made = Stand(
        agent=agent.astype(np.int64), excess=np.zeros(m), jobs=np.zeros((m, n), dtype=np.int32),
        count=np.zeros(m, dtype=np.int64), place=np.zeros(n, dtype=np.int64), mark=np.zeros(n, dtype=np.int64),
        best=agent.astype(np.int64), figures=np.array([0.0, _ENDLESS, 0.0, 0.0]),
        random=np.random.SeedSequence(seed).generate_state(2, dtype=np.uint64) | np.uint64(1),
        found=np.zeros(4, dtype=np.int64), chain_job=np.zeros(LINKS_MAX + 1, dtype=np.int64),
        chain_from=np.zeros(LINKS_MAX + 1, dtype=np.int64),
        left=np.zeros(m), over=np.zeros(m),
    )  # fmt: skip
    settle(board, made)
    return made


@njit(cache=True, nogil=True)
def settle(board, stand):  # type: ignore[no-untyped-def]
    """Count everything anew from the assignment."""
    m, n = board.cost.shape
    stand.count[:] = 0
    stand.figures[COST] = 0.0
    for i in range(m):
        stand.excess[i] = -board.capacity[i]
    for j in range(n):
        i = stand.agent[j]
        stand.jobs[i, stand.count[i]] = j
        stand.place[j] = stand.count[i]
        stand.count[i] += 1
        stand.excess[i] += board.resource[i, j]
        stand.figures[COST] += board.cost[i, j]


@njit(cache=True, nogil=True)
def draw(state):  # type: ignore[no-untyped-def]
    """Draw a number in [0, 1) (xorshift64*)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def _price(excess, left, over):  # type: ignore[no-untyped-def]
    return excess * over if excess > 0 else -excess * left


@njit(cache=True, nogil=True)
def _move(j, k, resource, agent, excess, jobs, count, place):  # type: ignore[no-untyped-def]
    """Give job j to agent k."""
    i = agent[j]
    excess[i] -= resource[i, j]
    excess[k] += resource[k, j]
    gap, last = place[j], count[i] - 1
    count[i] = last
    other = jobs[i, last]
    jobs[i, gap] = other
    place[other] = gap
    jobs[k, count[k]] = j
    place[j] = count[k]
    count[k] += 1
    agent[j] = k


@njit(cache=True, nogil=True)
def _fits(board, stand):  # type: ignore[no-untyped-def]
    """Tell whether no agent holds too much, added up anew; sets the cost anew as well."""
    m, n = board.cost.shape
    load = np.zeros(m)
    cost = 0.0
    for j in range(n):
        i = stand.agent[j]
        load[i] += board.resource[i, j]
        cost += board.cost[i, j]
    for i in range(m):
        if load[i] > board.room[i]:
            return False
    stand.figures[COST] = cost
    return True


@njit(cache=True, nogil=True)
def _link(  # type: ignore[no-untyped-def]
    current, opened, owed, limit, origin, origin_before, origin_owed, noise, turn,
    reduced, resource, reduced_of, resource_of, near, near_count, excess, jobs, count, mark, left, over, random, found,
):  # fmt: skip
    """Look through the jobs of the open agent; `found` gets the best end (job, agent) and the next link (job, agent).

    Gives the price of the best end and the work done.
    """
    excess_here, left_here, over_here = excess[current], left[current], over[current]
    end, next_price = _ENDLESS, _ENDLESS
    found[0] = found[2] = -1
    held = count[current]
    work = held
    base = opened - owed
    for place in range(held):
        j = jobs[current, place]
        after = excess_here - resource[current, j]
        settled = (after * over_here if after > 0 else -after * left_here) + base - reduced[current, j]
        if settled > limit or mark[j] == turn:
            continue
        for rank in range(near_count[j]):
            k = near[j, rank]
            if k == current:
                continue
            price = settled + reduced_of[j, k]
            if price > limit:
                break
            work += 2
            now = excess[k]
            then = now + resource_of[j, k]
            landing = then * over[k] if then > 0 else -then * left[k]
            if k == origin:
                total = price + landing - origin_before
            else:
                total = price + origin_owed + landing - (now * over[k] if now > 0 else -now * left[k])
                price += noise * draw(random)
                if price < next_price:
                    next_price = price
                    found[2], found[3] = j, k
            if total < end:
                end = total
                found[0], found[1] = j, k
    return end, work


@njit(cache=True, nogil=True)
def _chain(  # type: ignore[no-untyped-def]
    j, k, temperature, turn,
    reduced, resource, reduced_of, resource_of, near, near_count, agent, excess, jobs, count, place, mark,
    left, over, random, found, chain_job, chain_from,
):  # fmt: skip
    """Try one chain that begins by giving job j to agent k; undo it unless it is accepted. Gives its links and the work."""
    i = agent[j]
    threshold = -temperature * np.log(draw(random) + 1e-300)
    limit = threshold + _OPEN * temperature
    opened = reduced[k, j] - reduced[i, j]
    if opened > limit:
        return 0, 0
    origin_before = _price(excess[i], left[i], over[i])
    owed = _price(excess[k], left[k], over[k])
    _move(j, k, resource, agent, excess, jobs, count, place)
    chain_job[0], chain_from[0], mark[j] = j, i, turn
    origin_owed = _price(excess[i], left[i], over[i]) - origin_before
    links, current, work = 1, k, 0
    accepted = opened + origin_owed + _price(excess[k], left[k], over[k]) - owed <= threshold
    while not accepted and links < LINKS_MAX:
        end, done = _link(
            current, opened, owed, limit, i, origin_before, origin_owed, 2.0 * temperature, turn,
            reduced, resource, reduced_of, resource_of, near, near_count, excess, jobs, count, mark, left, over,
            random, found,
        )  # fmt: skip
        work += done
        accepted = end <= threshold
        job, to = (found[0], found[1]) if accepted else (found[2], found[3])
        if job < 0:
            break
        chain_job[links], chain_from[links], mark[job] = job, current, turn
        links += 1
        after = _price(excess[current] - resource[current, job], left[current], over[current])
        opened += reduced[to, job] - reduced[current, job] + after - owed
        owed = _price(excess[to], left[to], over[to])
        _move(job, to, resource, agent, excess, jobs, count, place)
        current = to
    if accepted:
        return links, work
    for link in range(links - 1, -1, -1):
        _move(chain_job[link], chain_from[link], resource, agent, excess, jobs, count, place)
    return 0, work


@njit(cache=True, nogil=True)
def anneal(board, stand, begin, finish, work, hot, cold, soft, firm, surcharge):  # type: ignore[no-untyped-def]
    """Run the part [begin, finish) of a cooling of `work` steps in all; the best assignment is kept in `stand`.

    hot → cold: temperature in money. soft → firm: share of the prices of room that counts. surcharge: at the end, on what is too much.
    """
    settle(board, stand)
    m, n = board.cost.shape
    cost, reduced, resource, reduced_of, resource_of = (
        board.cost,
        board.reduced,
        board.resource,
        board.reduced_of,
        board.resource_of,
    )
    near, near_count = board.near, board.near_count
    agent, excess, jobs, count, place, mark = (
        stand.agent,
        stand.excess,
        stand.jobs,
        stand.count,
        stand.place,
        stand.mark,
    )
    left, over, random, figures, found = stand.left, stand.over, stand.random, stand.figures, stand.found
    chain_job, chain_from = stand.chain_job, stand.chain_from
    done, part, turn = 0.0, max(work * (finish - begin), 1.0), np.int64(figures[MARK])
    while done < part:
        share = begin + (finish - begin) * done / part
        temperature = hot * (cold / hot) ** share
        firmness = soft * (firm / soft) ** share
        for i in range(m):
            left[i] = firmness * board.price[i]
            over[i] = firmness * board.fine[i] * (1.2 + (surcharge - 1.2) * share)
        done += 5.0 * _BLOCK
        for _ in range(_BLOCK):
            j = np.int64(draw(random) * n)
            skew = draw(random)
            k = near[j, np.int64(skew * skew * near_count[j])]
            if k == agent[j]:
                continue
            turn += 1
            links, tried = _chain(
                j, k, temperature, turn,
                reduced, resource, reduced_of, resource_of, near, near_count, agent, excess, jobs, count, place, mark,
                left, over, random, found, chain_job, chain_from,
            )  # fmt: skip
            done += tried
            for link in range(links):
                job = chain_job[link]
                figures[COST] += cost[agent[job], job] - cost[chain_from[link], job]
            if links and figures[COST] < figures[BEST] - 1e-9:
                fits = True
                for i in range(m):
                    fits = fits and excess[i] <= 1e-6 * board.capacity[i]
                if fits and _fits(board, stand) and figures[COST] < figures[BEST]:
                    figures[BEST] = figures[COST]
                    stand.best[:] = agent
    figures[WORK] += done
    figures[MARK] = turn
