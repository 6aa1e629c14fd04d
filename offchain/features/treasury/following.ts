import { type Address, keccak256, type PublicClient, stringToHex } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Chain } from "#offchain/platform/chain/chain.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import {
  createCalldata,
  isTreasury,
  type TreasuryContract,
  treasuryAddress,
  treasuryContract,
  type UntrustedContracts,
} from "./contract.ts";
import { treasuryHandlers } from "./events.ts";
import type { Send } from "./sending/sending.ts";
import type { FollowedView, Treasuries } from "./service.ts";
import { type FollowedTreasury, saveTreasury, treasuriesOf, watchedTreasuries } from "./store/treasuries.ts";

export interface FollowingOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly client: PublicClient;
  readonly untrustedCode: UntrustedContracts;
  readonly chain: Pick<Chain, "chainId" | "contracts" | "view" | "watch">;
  readonly runId: () => bigint;
  readonly send: Send;
}

/** The Treasuries that are followed: the configured one, and those that were created or adopted. */
export class Following implements Pick<Treasuries, "create" | "adopt" | "list"> {
  readonly #options: FollowingOptions;
  /** By lower-case address; watched by the indexer. */
  readonly #contracts = new Map<string, TreasuryContract>();

  private constructor(options: FollowingOptions) {
    this.#options = options;
  }

  /** Begins with what is stored; its events are watched from the start. */
  static async open(options: FollowingOptions): Promise<Following> {
    const following = new Following(options);
    const { sql, chain } = options;
    for (const address of [chain.contracts.treasury, ...(await watchedTreasuries(sql, chain.chainId))])
      following.#add(address);
    return following;
  }

  /** Checksummed. */
  get addresses(): Address[] {
    return [...this.#contracts.values()].map(({ address }) => address);
  }

  /** @throws BursarError TREASURY_UNKNOWN */
  contractOf(treasury: Address = this.#options.chain.contracts.treasury): TreasuryContract {
    const found = this.#contracts.get(treasury.toLowerCase());
    if (!found)
      throw new BursarError(
        "TREASURY_UNKNOWN",
        `no Treasury at ${treasury} is followed here; adopt it first`,
        {
          facts: { got: treasury, followed: this.addresses.join(", ") },
        },
      );
    return found;
  }

  async create({ owners, threshold, key }: Parameters<Treasuries["create"]>[0]): Promise<FollowedView> {
    const { client, chain, send, runId } = this.#options;
    const factory = chain.contracts.treasuryFactory;
    const salt = keccak256(stringToHex(`bursar treasury ${key}`));
    const terms = { owners, threshold: BigInt(threshold), salt };
    const address = await treasuryAddress(client, factory, terms);
    const fromBlock = await this.#firstBlockOf(address);
    const transactionHash = await send({
      key: `treasury.create:${runId()}:${key}`,
      to: factory,
      data: createCalldata(terms),
      purpose: "treasury.create",
      isOnce: true,
    });
    return this.#follow({ address, origin: "created", transactionHash }, fromBlock);
  }

  /** Of a Treasury that does not stand yet nothing is older than what is final now; else its past is not known. */
  async #firstBlockOf(address: Address): Promise<number> {
    const { client, chain } = this.#options;
    return (await client.getCode({ address })) ? 0 : Number(chain.view.status().finalTo) + 1;
  }

  async adopt(address: Address): Promise<FollowedView> {
    const { untrustedCode, chain } = this.#options;
    if (address === chain.contracts.treasury) return this.#configured();
    if (!(await isTreasury(untrustedCode, address)))
      throw new BursarError("VALIDATION_INVALID_INPUT", `no Treasury stands at ${address}`, {
        facts: { chainId: chain.chainId },
        fields: [{ field: "address", message: "must be a Treasury contract on this chain", value: address }],
      });
    return this.#follow({ address, origin: "adopted", transactionHash: null });
  }

  async list(): Promise<FollowedView[]> {
    const { sql, runId } = this.#options;
    const others = await treasuriesOf(sql, runId());
    return [this.#configured(), ...others.map((followed) => this.#view(followed))];
  }

  /** Watches what another instance of the service has begun to follow. */
  async takeUp(): Promise<void> {
    const { sql, chain } = this.#options;
    for (const address of await watchedTreasuries(sql, chain.chainId)) await this.#watch(address);
  }

  async #follow(treasury: Omit<FollowedTreasury, "addedAt">, fromBlock = 0): Promise<FollowedView> {
    const { sql, clock, chain, runId } = this.#options;
    const { chainId } = chain;
    await saveTreasury(sql, { chainId, runId: runId() }, { ...treasury, addedAt: clock.now() });
    await this.#watch(treasury.address, fromBlock);
    const stored = (await treasuriesOf(sql, runId())).find(({ address }) => address === treasury.address);
    if (!stored) throw new Error(`Treasury ${treasury.address} was stored and is not there`);
    return this.#view(stored);
  }

  async #watch(address: Address, fromBlock = 0): Promise<void> {
    if (this.#contracts.has(address.toLowerCase())) return;
    this.#add(address);
    await this.#options.chain.watch(treasuryHandlers([address], fromBlock));
  }

  #add(treasury: Address): void {
    const { client, untrustedCode, chain } = this.#options;
    this.#contracts.set(
      treasury.toLowerCase(),
      treasuryContract(client, untrustedCode, { treasury, usdc: chain.contracts.usdc }),
    );
  }

  #configured(): FollowedView {
    const { chainId, contracts } = this.#options.chain;
    return {
      address: contracts.treasury,
      chainId,
      origin: "configured",
      transactionHash: null,
      addedAt: null,
    };
  }

  #view(followed: FollowedTreasury): FollowedView {
    return { ...followed, chainId: this.#options.chain.chainId };
  }
}
