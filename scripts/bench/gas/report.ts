import type { ChannelGas, PayeesGas } from "./channels.ts";
import type { SettlementGas } from "./settlement.ts";

/** What `npm run bench:gas -- --json` says. */
export interface GasReport {
  microPayment: Omit<ChannelGas, "calls" | "payees"> & { service?: SettlementGas };
  treasury: {
    quorumPayment: number;
    fastPath: number;
    fastPathRandomReference: number;
    fastPathAverage: number;
    peerQuorumPayment: number;
  };
  /** By the number of payees in one epoch. */
  clearing: { payees: Record<number, EpochGas> };
  calls: Record<string, number>;
  peers: Record<string, number>;
}

/** An epoch of so many payees. */
export interface EpochGas {
  /** All calls that credit them for the first time: the dearest that an epoch can be. */
  gas: number;
  /** Most of one of these. */
  largestTransaction: number;
  transactions: number;
  /** The same once each was credited before. */
  gasAgain: number;
  /** Credited and paid, once each was before. */
  perPayee: number;
}

export const epochGas = (count: number, { first, again }: PayeesGas): EpochGas => ({
  gas: Number(first.credited.gas),
  largestTransaction: Number(first.credited.most),
  transactions: first.credited.calls,
  gasAgain: Number(again.credited.gas),
  perPayee: Number(again.credited.gas + again.paid.gas) / count,
});

/** The figures that are committed, in groups. */
export type GasSnapshot = Record<string, Record<string, number>>;

const throughService = "microPaymentThroughService";

export function printGas({ microPayment, clearing, calls, peers }: GasReport): void {
  const { service, ...byHand } = microPayment;
  console.log(
    "\nGas per micropayment: 10,000 payments among 100 payers and 100 payees, 100 payments a voucher",
  );
  console.table({ "made by hand": byHand, ...(service && { "through the service": service }) });
  console.log("Gas of Clearing's epochs, by their payees");
  console.table(clearing.payees);
  console.log("Gas of calls");
  console.table({ ...calls, ...peers });
}

export function snapshotOf({ microPayment, clearing, calls }: GasReport): GasSnapshot {
  const { service, ...byHand } = microPayment;
  return {
    microPayment: rounded(byHand),
    ...(service && { [throughService]: rounded(service) }),
    ...Object.fromEntries(
      Object.entries(clearing.payees).map(([count, { ...gas }]) => [
        `clearing.payees.${count}`,
        rounded(gas),
      ]),
    ),
    calls,
  };
}

/** Cheaper is worth committing, too: both ways are told. A part that was left out is not compared. @returns whether all agree */
export function compareGas(committed: GasSnapshot, measured: GasSnapshot): boolean {
  const { [throughService]: service, ...rest } = committed;
  const wanted = service && throughService in measured ? committed : rest;
  const lines = [...new Set([...names(wanted), ...names(measured)])].flatMap((name) => {
    const [was, is] = [at(wanted, name), at(measured, name)];
    if (was === is) return [];
    return [`${name}: ${was ?? "not there"} in test/contracts/gas.json, ${is ?? "not there"} now`];
  });
  for (const line of lines) console.error(line);
  if (lines.length === 0) console.log(`gas is as committed: ${names(wanted).length} figures`);
  else console.error("if that is meant, write it: npm run bench:gas -- --write");
  return lines.length === 0;
}

const names = (of: GasSnapshot): string[] =>
  Object.entries(of).flatMap(([group, figures]) => Object.keys(figures).map((name) => `${group}/${name}`));

function at(of: GasSnapshot, name: string): number | undefined {
  const [group = "", ...rest] = name.split("/");
  return of[group]?.[rest.join("/")];
}

const rounded = (figures: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, gas]) => [name, Math.round(gas)]));
