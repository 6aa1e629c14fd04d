-- A hold is the ledger's word; whoever serves a sale has a lease of it.
ALTER TABLE x402_sale RENAME held_until TO leased_until;
