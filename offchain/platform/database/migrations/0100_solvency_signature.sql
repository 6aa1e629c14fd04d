-- Each root is signed by the operator, so that two stories are evidence against it. Null for roots told before this.
ALTER TABLE solvency_report
  ADD COLUMN signed_by bytea CHECK (octet_length(signed_by) = 20),
  ADD COLUMN signature bytea CHECK (octet_length(signature) = 65),
  ADD CHECK ((signed_by IS NULL) = (signature IS NULL));
