"""The business: one room per stage of the process, in the order in which work flows. A room may call rooms before it."""
