-- Which root a payout paid all at once; null: a single payee's, or a payout from before this was noted. A root stays paid
-- while one of its payouts stands, whichever a reorganisation takes back.
ALTER TABLE clearing_payout ADD COLUMN root_number integer;
