import type { AccountName, LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import { creditDown, type Draw, type LotRecord } from "./pool.ts";
import type { Address } from "./ticket.ts";

/*
 * How energy moves on the ledger. Every line is a transfer, so Σ per unit is zero at any time.
 *
 *   issue      ADP  issuer:society:<id>  → society:<id>
 *   charge     ADP  society:<id>         → capacity:<source>   }  linked: the source takes ADP
 *              ATP  capacity:<source>    → society:<id>        }  and commits as much power
 *   allocate   ATP  society:<id>         ⇢ consumed:<id>          held: reserved is the society's pending ATP
 *   complete   ATP  society:<id>         → consumed:<id>       }  the hold is posted with what the work took
 *              ATP  society:<id>         → consumed:<id>       }  (an overrun moves besides it)
 *              ADP  capacity:<source>    → society:<id>        }  linked: as much ADP returns
 *              ADP  issuer:work          → worker:<address>    }  credit = consumed × quality
 *              CO2E grid:<region>        → emitted:<address>   }
 *   fail       ATP  the hold is voided
 *   spoil      ATP  society:<id>         → expired:<id>
 *
 * A source's ADP balance is therefore the ATP charged from it that no work discharged, and so for each society
 *   ADP(society) + ATP(society) + ATP(expired) = −ADP(issuer:society)            nothing appears or vanishes
 *   ADP(capacity of its sources) = ATP(society) + ATP(expired)                   each ATP stands for one ADP
 *   ATP(capacity of its sources) = −(ATP(society) + ATP(expired) + ATP(consumed))
 * where ATP(society) is available + reserved. A worker's credit is reputation: it has its own issuer, and no society's
 * pool pays it. Issuers, sources and grids stand for the outside world and are the only accounts below zero.
 */

export const societyAccount = (society: string): AccountName => `society:${society}`;
export const expiredAccount = (society: string): AccountName => `expired:${society}`;
export const consumedAccount = (society: string): AccountName => `consumed:${society}`;
export const issuerAccount = (society: string): AccountName => `issuer:society:${society}`;
/** An address's credit for work, which is reputation. */
export const workerAccount = (worker: string): AccountName => `worker:${worker.toLowerCase()}`;
/** What an address's work emitted. */
export const emittedAccount = (worker: string): AccountName => `emitted:${worker.toLowerCase()}`;
const capacityAccount = (source: string): AccountName => `capacity:${source}`;

export function issueOperations(society: string, key: string, amount: bigint): LedgerOperation[] {
  return [
    {
      kind: "transfer",
      key: `energy:issue:${society}:${key}`,
      debit: issuerAccount(society),
      credit: societyAccount(society),
      unit: "ADP",
      amount,
    },
  ];
}

export function chargeOperations(lot: LotRecord): LedgerOperation[] {
  const link = `energy:lot:${lot.id}`;
  const [society, source] = [societyAccount(lot.society), capacityAccount(lot.sourceId)];
  const common = { kind: "transfer", link, reference: link, amount: lot.charged } as const;
  return [
    { ...common, key: `${link}:adp`, debit: society, credit: source, unit: "ADP" },
    { ...common, key: `${link}:atp`, debit: source, credit: society, unit: "ATP" },
  ];
}

export function holdOperation(ticketId: string, society: string, amount: bigint): LedgerOperation {
  return {
    kind: "hold",
    key: `${ticketKey(ticketId)}:hold`,
    reference: ticketKey(ticketId),
    debit: societyAccount(society),
    credit: consumedAccount(society),
    unit: "ATP",
    amount,
  };
}

export interface Discharged {
  ticketId: string;
  society: string;
  holdId: string;
  worker: Address;
  region: string;
  qualityBps: number;
  co2Micrograms: bigint;
  used: readonly Draw[];
  overrun: readonly Draw[];
  /** Of what was not used, what has spoiled. */
  spoiled: bigint;
  /** The source of each lot that was drawn from. */
  sourceOf: (lotId: string) => string;
}

export function completeOperations(discharged: Discharged): LedgerOperation[] {
  const { ticketId, society, used, overrun } = discharged;
  const link = ticketKey(ticketId);
  const transfer = { kind: "transfer", link, reference: link } as const;
  const consumed = [...used, ...overrun];
  const bySource = Map.groupBy(consumed, ({ lotId }) => discharged.sourceOf(lotId));
  const operations: LedgerOperation[] = [
    { kind: "post", key: `${link}:post`, link, transferId: discharged.holdId, amount: total(used) },
    {
      ...transfer,
      key: `${link}:overrun`,
      debit: societyAccount(society),
      credit: consumedAccount(society),
      unit: "ATP",
      amount: total(overrun),
    },
    ...[...bySource].map(
      ([source, draws], index): LedgerOperation => ({
        ...transfer,
        key: `${link}:adp:${index}`,
        debit: capacityAccount(source),
        credit: societyAccount(society),
        unit: "ADP",
        amount: total(draws),
      }),
    ),
    {
      ...transfer,
      key: `${link}:credit`,
      debit: "issuer:work",
      credit: workerAccount(discharged.worker),
      unit: "ADP",
      amount: creditDown(total(consumed), discharged.qualityBps),
    },
    {
      ...transfer,
      key: `${link}:co2e`,
      debit: `grid:${discharged.region}`,
      credit: emittedAccount(discharged.worker),
      unit: "CO2E",
      amount: discharged.co2Micrograms,
    },
    spoilOperation(link, society, discharged.spoiled, link),
  ];
  return operations.filter((operation) => operation.kind !== "transfer" || operation.amount > 0n);
}

/** Voids a ticket's hold; what has spoiled of it moves on to expired. */
export function releaseOperations(
  ticketId: string,
  society: string,
  holdId: string,
  spoiled: bigint,
): LedgerOperation[] {
  const link = ticketKey(ticketId);
  const release: LedgerOperation = { kind: "void", key: `${link}:void`, link, transferId: holdId };
  return spoiled > 0n ? [release, spoilOperation(link, society, spoiled, link)] : [release];
}

/** Moves what is left of a lot after its expiry. */
export const spoilLotOperation = (society: string, lotId: string, amount: bigint): LedgerOperation =>
  spoilOperation(`energy:lot:${lotId}`, society, amount);

function spoilOperation(of: string, society: string, amount: bigint, link?: string): LedgerOperation {
  return {
    kind: "transfer",
    key: `${of}:spoil`,
    ...(link === undefined ? {} : { link }),
    reference: of,
    debit: societyAccount(society),
    credit: expiredAccount(society),
    unit: "ATP",
    amount,
  };
}

const ticketKey = (ticketId: string): string => `energy:ticket:${ticketId}`;

const total = (draws: readonly Draw[]): bigint => draws.reduce((sum, { amount }) => sum + amount, 0n);
