"""Plans 计划: targets and milestones signed with each agency; the strategy table that picks a treatment for every account."""
