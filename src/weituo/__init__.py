"""Weituo 委托: the lender's side of outsourced debt collection."""
