"""Partners 合作机构: screening, papers, agreements, capacity and tier of the agencies."""
