"""Ledger 账务: double entry, remittances, payments, commission, settlement statements."""
