"""The rules of the ledger, pure: time, ids and what the ledger says are arguments."""
