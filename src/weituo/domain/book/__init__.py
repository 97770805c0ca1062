"""Book 账户: borrowers, overdue accounts, month-by-month repayment history, holds, and the import that fills them."""
