-- Signed requests that were let in, for as long as they could be sent again: a repetition gets the first answer.
CREATE TABLE seen_request (
  -- What was signed, by its EIP-712 digest: a signature has more than one form.
  digest  bytea  PRIMARY KEY,
  -- From then on the request is too old to be taken, epoch ms.
  ends_at bigint NOT NULL,
  -- As JSON; null while it is being answered, or when how it ended is not known.
  answer  text
);
CREATE INDEX seen_request_ending ON seen_request (ends_at);
