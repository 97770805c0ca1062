"""Evaluation 评估: scorecards, fair comparison, the business case, decisions that flow back."""
