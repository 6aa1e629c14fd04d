import { type Address, encodeFunctionData, type Hex, stringToHex } from "viem";
import { clearingAbi, parameterRegistryAbi, stakingAbi } from "#contracts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";

const minBond = stringToHex("clearingMinBond", { size: 32 });

/** Who operates Clearing now; see `IClearing.Office`. */
export interface OperatorInOffice {
  readonly operator: Address;
  readonly office: number;
}

/** See `IClearing.TokenTerms`; base units. */
export interface TokenTerms {
  readonly leastCredit: bigint;
  readonly exitCap: bigint;
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

  /** The operator's bond in AVT, without what others hold of it, and the least that the contract takes. */
  async bondOf(operator: Address): Promise<{ bond: bigint; wanted: bigint }> {
    const { staking, parameterRegistry } = this.#addresses;
    const [bond, wanted] = await Promise.all([
      this.#reader.readContract({
        address: staking,
        abi: stakingAbi,
        functionName: "bondFor",
        args: [operator, this.address],
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

  async operator(): Promise<OperatorInOffice> {
    const [operator, office] = await this.#reader.readContract({
      ...this.#clearing,
      functionName: "operator",
    });
    return { operator, office: Number(office) };
  }

  async terms(): Promise<TokenTerms> {
    const { leastCredit, exitCap } = await this.#reader.readContract({
      ...this.#clearing,
      functionName: "termsOf",
      args: [this.token],
    });
    return { leastCredit, exitCap };
  }

  /** All that Clearing has ever received. */
  received(): Promise<bigint> {
    return this.#reader.readContract({ ...this.#clearing, functionName: "receivedOf", args: [this.token] });
  }

  /** What a payee is credited: for good, by an epoch that can be challenged yet, and what has left Clearing. */
  creditOf(payee: Address): Promise<{ settled: bigint; pending: bigint; paid: bigint }> {
    return this.#reader.readContract({
      ...this.#clearing,
      functionName: "creditOf",
      args: [this.token, payee],
    });
  }

  /** The newest block's time, epoch ms. */
  async now(): Promise<number> {
    const { timestamp } = await this.#reader.getBlock();
    return Number(timestamp) * 1000;
  }

  /** @param from how many rows the epoch has so far */
  credit(number: number, from: number, rows: Hex, isLast: boolean): Hex {
    return encodeFunctionData({
      abi: clearingAbi,
      functionName: "credit",
      args: [this.token, BigInt(number), BigInt(from), rows, isLast],
    });
  }

  /** Records what earlier offices have left: what arrives from now on their receipts do not reach. */
  recordHandover(): Hex {
    return encodeFunctionData({ abi: clearingAbi, functionName: "recordHandover", args: [this.token] });
  }

  payOutAll(payees: readonly Address[]): Hex {
    return encodeFunctionData({
      abi: clearingAbi,
      functionName: "payOutAll",
      args: [this.token, [...payees]],
    });
  }

  get #clearing() {
    return { address: this.address, abi: clearingAbi } as const;
  }
}
