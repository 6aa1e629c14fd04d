import { type Address, encodeFunctionData, type Hex, multicall3Abi, stringToHex } from "viem";
import { clearingAbi, parameterRegistryAbi, stakingAbi } from "#contracts";
import { type ChainReader, multicall3 } from "#offchain/platform/chain/client/client.ts";
import type { CreditLine } from "./rules.ts";

const minBond = stringToHex("clearingMinBond", { size: 32 });

/** A payee's line of a root. Base units. */
export interface CreditClaim extends CreditLine {
  readonly payee: Address;
}

/** A payee's line of the root that it has challenged. */
export interface ChallengeAnswer extends CreditLine {
  readonly challengeId: bigint;
}

/** What is read of Clearing and of the bond behind it, and the calls that the operator makes. Amounts in base units. */
export class ClearingContract {
  readonly address: Address;
  readonly token: Address;
  readonly #reader: ChainReader;
  readonly #addresses: { staking: Address; parameterRegistry: Address };

  constructor(
    reader: ChainReader,
    addresses: { clearing: Address; usdc: Address; staking: Address; parameterRegistry: Address },
  ) {
    this.#reader = reader;
    this.#addresses = addresses;
    this.address = addresses.clearing;
    this.token = addresses.usdc;
  }

  /** The operator's bond in AVT, and the least that the contract takes. */
  async bondOf(operator: Address): Promise<{ bond: bigint; wanted: bigint }> {
    const { staking, parameterRegistry } = this.#addresses;
    const [bond, wanted] = await Promise.all([
      this.#reader.readContract({
        address: staking,
        abi: stakingAbi,
        functionName: "bondOf",
        args: [operator],
      }),
      this.#reader.readContract({
        address: parameterRegistry,
        abi: parameterRegistryAbi,
        functionName: "valueOf",
        args: [minBond],
      }),
    ]);
    return { bond, wanted };
  }

  /** All that Clearing has ever received. */
  received(): Promise<bigint> {
    return this.#reader.readContract({ ...this.#clearing, functionName: "receivedOf", args: [this.token] });
  }

  paidTo(payee: Address): Promise<bigint> {
    return this.#reader.readContract({
      ...this.#clearing,
      functionName: "paidOf",
      args: [this.token, payee],
    });
  }

  /** Number of the newest root that can be claimed; 0: none. */
  async finalEpoch(): Promise<number> {
    return Number(
      await this.#reader.readContract({
        ...this.#clearing,
        functionName: "finalEpochOf",
        args: [this.token],
      }),
    );
  }

  /** The newest block's time, epoch ms. */
  async now(): Promise<number> {
    const { timestamp } = await this.#reader.getBlock();
    return Number(timestamp) * 1000;
  }

  /** @param standing the rows of the root that stands; `0x`: none does */
  postRoot(number: number, rows: Hex, standing: Hex): Hex {
    return encodeFunctionData({
      abi: clearingAbi,
      functionName: "postRoot",
      args: [this.token, BigInt(number), rows, standing],
    });
  }

  payOut(number: number, rows: Hex): Hex {
    return encodeFunctionData({
      abi: clearingAbi,
      functionName: "payOut",
      args: [this.token, BigInt(number), rows],
    });
  }

  /** What Clearing has paid each of these, in order. */
  async paidToEach(payees: readonly Address[]): Promise<bigint[]> {
    return this.#reader.multicall({
      allowFailure: false,
      contracts: payees.map(
        (payee) => ({ ...this.#clearing, functionName: "paidOf", args: [this.token, payee] }) as const,
      ),
    });
  }

  /** Those of the claims that the contract would pay now: a token may refuse a payee. */
  async payable(number: number, claims: readonly CreditClaim[]): Promise<CreditClaim[]> {
    const outcomes = await this.#reader.multicall({
      contracts: claims.map(
        (claim) =>
          ({ ...this.#clearing, functionName: "claim", args: this.#claimArgs(number, claim) }) as const,
      ),
    });
    return claims.filter((_, at) => outcomes[at]?.status === "success");
  }

  /** Pays these payees in one transaction, which anybody may send. None may fail. */
  claimAll(number: number, claims: readonly CreditClaim[]): { to: Address; data: Hex } {
    return this.#together(
      claims.map((claim) =>
        encodeFunctionData({ abi: clearingAbi, functionName: "claim", args: this.#claimArgs(number, claim) }),
      ),
    );
  }

  /** Answers challenges in one transaction, which anybody may send. None may fail. */
  answerAll(answers: readonly ChallengeAnswer[]): { to: Address; data: Hex } {
    return this.#together(
      answers.map(({ challengeId, cumulative, proof }) =>
        encodeFunctionData({
          abi: clearingAbi,
          functionName: "answer",
          args: [challengeId, cumulative, [...proof]],
        }),
      ),
    );
  }

  /** One call to Clearing for all. None may fail: of calls that may, the gas is not known by an estimate. */
  #together(calldata: readonly Hex[]): { to: Address; data: Hex } {
    const calls = calldata.map((callData) => ({ target: this.address, allowFailure: false, callData }));
    const data = encodeFunctionData({ abi: multicall3Abi, functionName: "aggregate3", args: [calls] });
    return { to: multicall3, data };
  }

  #claimArgs(number: number, { payee, cumulative, proof }: CreditClaim) {
    return [this.token, BigInt(number), payee, cumulative, [...proof]] as const;
  }

  get #clearing() {
    return { address: this.address, abi: clearingAbi } as const;
  }
}
