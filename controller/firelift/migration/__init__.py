"""The data plane: transforms, chunks, the ledger, verify and revert. It talks to a Store, never to a vendor."""
