"use client";
import { useQuery } from "@tanstack/react-query";
import type { Overview } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address, Hash } from "@/ui/Address.tsx";
import { Money } from "@/ui/Money.tsx";
import { Notice } from "@/ui/Notice.tsx";
import { Left } from "@/ui/Time.tsx";
import { closingWords } from "./words.ts";

/** Tells payees of payers that withdraw before all that they signed for is claimed; of one payee, if it is named. */
export function ClosingNotice({ payee }: { payee?: string }) {
  const { data } = useQuery(overviewQuery(useService()));
  const closing = (data?.closing ?? []).filter((one) => !payee || isSameAddress(one.payee, payee));
  if (closing.length === 0) return null;
  return (
    <Notice isAlert tone="warn" title={closingWords.title}>
      <ul className="space-y-1">
        {closing.map((channel) => (
          <Row key={channel.channelId} {...channel} />
        ))}
      </ul>
    </Notice>
  );
}

function Row({
  channelId,
  payer,
  payee,
  withdrawableAt,
  unclaimed,
  isClaiming,
}: Overview["closing"][number]) {
  return (
    <li>
      <Address address={payer} hasCopy={false} /> {closingWords.owes}{" "}
      <Address address={payee} hasCopy={false} /> <Money {...unclaimed} className="font-medium" />{" "}
      {closingWords.byChannel} <Hash hash={channelId} what="channel id" />{" "}
      {withdrawableAt !== null && <Left deadline={withdrawableAt} />} {closingWords.claim(isClaiming)}
    </li>
  );
}
