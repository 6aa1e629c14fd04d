-- Who holds the sale: another holder's writes find nothing. Null: nobody, or one from before this column.
ALTER TABLE x402_sale ADD COLUMN holder uuid;
