"use client";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Call, Proposal } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { budgetsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address } from "@/ui/Address.tsx";
import { Copy } from "@/ui/Copy.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { Money } from "@/ui/Money.tsx";
import { Section } from "@/ui/Section.tsx";
import { Left } from "@/ui/Time.tsx";
import { replacedBy, setsBudget } from "./reading/replaced.ts";
import { useTreasury } from "./reading/useTreasury.ts";
import { callWords, limitNames, proposalWords, rawCallWords, warningOf } from "./words.ts";

/** What a proposal would do: words first, arguments next, raw bytes last and folded away. */
export function Calls({ calls, isOpen }: { calls: readonly Call[]; isOpen: boolean }) {
  return (
    <Section
      title={proposalWords.calls}
      note={calls.length > 1 ? proposalWords.callsNote(calls.length) : undefined}
    >
      <ol className="space-y-6">
        {calls.map((call, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a call is its place in the proposal
          <li key={index}>
            <CallView call={call} isOpen={isOpen} number={calls.length > 1 ? index + 1 : null} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

/** What a person must have read of a call: its words, what to stop at, whom it calls, and the coin that it sends. */
export function CallSummary({
  call,
  number,
  isOpen = true,
  children,
}: {
  call: Call;
  number: number | null;
  /** What has ended changes nothing any more. */
  isOpen?: boolean;
  children?: ReactNode;
}) {
  return (
    <div>
      <p className="font-medium [overflow-wrap:anywhere]">
        {number && <span className="mr-2 text-ink-3">{number}.</span>}
        {call.words}
      </p>
      <Warnings call={call} />
      <dl className="mt-2.5 grid gap-x-6 gap-y-1.5 text-sm sm:grid-cols-[8rem_minmax(0,1fr)]">
        <Argument name={callWords.target}>
          {call.target.includes(call.to) ? (
            <span className="[overflow-wrap:anywhere]">{call.target}</span>
          ) : (
            <Address isFull address={call.to} name={call.target} />
          )}
        </Argument>
        <Argument name={callWords.coin(call.coin.unit)}>
          {call.value === "0" ? callWords.noCoin : <Money {...call.coin} limit={18} />}
        </Argument>
        {isOpen && setsBudget(call) && (
          <Argument name={callWords.replaces}>
            <ReplacedBudget call={call} />
          </Argument>
        )}
        {children}
      </dl>
    </div>
  );
}

/** What stands against what is set: "50,000 a day" says less than "500 → 50,000 a day". */
function ReplacedBudget({ call }: { call: Call }) {
  const { data, isError } = useQuery(budgetsQuery(useService()));
  const treasury = useTreasury();
  const words = callWords.replaced;
  if (isError || (treasury && !isSameAddress(treasury.address, call.to))) return words.unread;
  if (!data || !treasury) return words.loading;
  const replaced = replacedBy(call, data.items);
  if (replaced === "unread") return words.unread;
  if (!replaced) return words.nothing;
  const { unit, limits, validUntil, recipientsOnly } = replaced;
  if (limits.length === 0 && !validUntil && !recipientsOnly) return words.same;
  const money = (amount: string | null) =>
    amount === null ? words.none : <Money amount={amount} unit={unit} limit={18} />;
  return (
    <ul>
      {limits.map(({ limit, before, after }) => (
        <li key={limit}>
          {limitNames[limit]}: {money(before)} {words.to} {money(after)}
        </li>
      ))}
      {validUntil && (
        <li>
          {words.until}: {words.moment(validUntil.before)} {words.to} {words.moment(validUntil.after)}
        </li>
      )}
      {recipientsOnly && (
        <li>
          {words.recipients}: {words.recipientsOnly(recipientsOnly.before)} {words.to}{" "}
          {words.recipientsOnly(recipientsOnly.after)}
        </li>
      )}
    </ul>
  );
}

/** What to stop at before signing. */
function Warnings({ call }: { call: Call }) {
  if (call.warnings.length === 0) return null;
  return (
    <ul className="mt-2 space-y-1 text-sm text-warn">
      {call.warnings.map((code) => (
        <li key={code} data-warning={code} className="flex gap-2">
          <Icon name="alert" className="mt-0.5 size-4 shrink-0" />
          <span>{warningOf(code, call)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Everything that is signed with a proposal: the Treasury that it is of, until when, and each of its calls. */
export function ProposalSummary({ proposal }: { proposal: Proposal }) {
  const { calls, treasury, deadline } = proposal;
  return (
    <div className="space-y-3">
      <dl className="grid gap-x-6 gap-y-1.5 text-sm sm:grid-cols-[8rem_minmax(0,1fr)]">
        <Argument name={proposalWords.treasury}>
          <Address isFull address={treasury} />
        </Argument>
        <Argument name={proposalWords.deadline}>
          {proposalWords.until(deadline)} <Left deadline={deadline} />
        </Argument>
      </dl>
      <ol className="space-y-4">
        {calls.map((call, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a call is its place in the proposal
          <li key={index}>
            <CallSummary call={call} number={calls.length > 1 ? index + 1 : null} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function CallView({ call, number, isOpen }: { call: Call; number: number | null; isOpen: boolean }) {
  return (
    <>
      <CallSummary call={call} number={number} isOpen={isOpen}>
        {call.decoded?.args.map(({ name, type, value }) => (
          <Argument key={name} name={name} type={type}>
            {type === "address" ? (
              <Address address={value} />
            ) : (
              <span className="font-mono text-[0.94em] [overflow-wrap:anywhere]">{value}</span>
            )}
          </Argument>
        ))}
      </CallSummary>
      <details className="group mt-3 text-sm">
        <summary className="w-fit rounded text-ink-3 hover:text-ink">{rawCallWords(call)}</summary>
        <div className="mt-2 flex items-start gap-2 rounded-md bg-sunken p-3">
          <code className="min-w-0 flex-1 text-xs leading-5 [overflow-wrap:anywhere]">{call.data}</code>
          <Copy text={call.data} what="call data" />
        </div>
      </details>
    </>
  );
}

function Argument({ name, type, children }: { name: string; type?: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-ink-3">
        {name}
        {type && <span className="ml-1.5 text-ink-3 text-xs">{type}</span>}
      </dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}
