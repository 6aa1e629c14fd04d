import type { Call } from "@/lib/model.ts";
import { Address } from "@/ui/Address.tsx";
import { Copy } from "@/ui/Copy.tsx";
import { Section } from "@/ui/Section.tsx";
import { proposalWords, rawCallWords } from "./words.ts";

/** What a proposal would do: words first, arguments next, raw bytes last and folded away. */
export function Calls({ calls }: { calls: readonly Call[] }) {
  return (
    <Section
      title={proposalWords.calls}
      note={calls.length > 1 ? proposalWords.callsNote(calls.length) : undefined}
    >
      <ol className="space-y-6">
        {calls.map((call, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a call is its place in the proposal
          <li key={index}>
            <CallView call={call} number={calls.length > 1 ? index + 1 : null} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function CallView({ call, number }: { call: Call; number: number | null }) {
  return (
    <div>
      <p className="font-medium [overflow-wrap:anywhere]">
        {number && <span className="mr-2 text-ink-3">{number}.</span>}
        {call.words}
      </p>
      <dl className="mt-2.5 grid gap-x-6 gap-y-1.5 text-sm sm:grid-cols-[8rem_minmax(0,1fr)]">
        <Argument name={call.decoded ? call.decoded.contract : "contract"} type="called">
          <Address address={call.to} name={call.decoded?.contract} />
        </Argument>
        {call.value !== "0" && (
          <Argument name="value" type="wei">
            {call.value}
          </Argument>
        )}
        {call.decoded?.args.map(({ name, type, value }) => (
          <Argument key={name} name={name} type={type}>
            {type === "address" ? (
              <Address address={value} />
            ) : (
              <span className="font-mono text-[0.94em] [overflow-wrap:anywhere]">{value}</span>
            )}
          </Argument>
        ))}
      </dl>
      <details className="group mt-3 text-sm">
        <summary className="w-fit rounded text-ink-3 hover:text-ink">{rawCallWords(call)}</summary>
        <div className="mt-2 flex items-start gap-2 rounded-md bg-sunken p-3">
          <code className="min-w-0 flex-1 text-xs leading-5 [overflow-wrap:anywhere]">{call.data}</code>
          <Copy text={call.data} what="call data" />
        </div>
      </details>
    </div>
  );
}

function Argument({ name, type, children }: { name: string; type: string; children: React.ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-ink-3">
        {type === "called" ? "Calls" : name}
        {type !== "called" && <span className="ml-1.5 text-ink-3 text-xs">{type}</span>}
      </dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}
