"""Care 客户关怀: disputes, hardship, complaints, and the borrower's wishes."""
