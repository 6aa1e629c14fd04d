import {
  type Account,
  type Address,
  isAddressEqual,
  type PublicClient,
  parseAbi,
  type WalletClient,
} from "viem";
import { clearingAbi } from "#contracts";
import { roles } from "../ignition/roles.ts";

const managerAbi = parseAbi([
  "function grantRole(uint64 roleId, address account, uint32 executionDelay)",
  "function renounceRole(uint64 roleId, address callerConfirmation)",
  "function hasRole(uint64 roleId, address account) view returns (bool isMember, uint32 executionDelay)",
]);
const timelockAbi = parseAbi([
  "function DEFAULT_ADMIN_ROLE() view returns (bytes32)",
  "function hasRole(bytes32 role, address account) view returns (bool)",
  "function renounceRole(bytes32 role, address callerConfirmation)",
]);
const auctionAbi = parseAbi([
  "function scorer() view returns (address)",
  "function setScorer(address scorer)",
]);

/** What is handed over, by whom, and to whom. */
export interface Handover {
  reader: PublicClient;
  wallet: WalletClient;
  deployer: Account;
  /** The service's account: it becomes Clearing's operator, the auction's scorer and the anchorer. */
  service: Address;
  accessManager: Address;
  timelock: Address;
  clearing: Address;
  auction: Address;
}

/** The deployer may not stay in office under another name. */
export class SameAccount extends Error {
  override readonly name = "SameAccount";
}

/**
 * Makes the timelock, and with it the vote of AVT, the only admin of the whole set, and gives the offices that the
 * deployer held at first to the service. The deployer keeps nothing; as Clearing's operator it stays for the three days
 * in which its successor waits. Safe to repeat: what is done is left alone.
 *
 * The service's account must have staked `clearingMinBond` with itself before: Clearing holds that bond, and else refuses
 * the appointment by `Clearing_BondTooLow`.
 * @throws SameAccount when the service's account is the deployer's
 */
export async function handOver(handover: Handover): Promise<void> {
  const { reader, deployer, service, timelock } = handover;
  if (isAddressEqual(service, deployer.address))
    throw new SameAccount(`the service's account must be another one than the deployer's, ${service}`);
  const { send, hasRole, manager } = rolesOf(handover);
  const isAdmin = await hasRole(roles.admin, deployer.address);
  if (isAdmin) await giveOffices(handover, send, manager);
  if (isAdmin && !(await hasRole(roles.anchorer, service)))
    await send({ ...manager, functionName: "grantRole", args: [roles.anchorer, service, 0] });
  // The admin's role goes last: until the timelock has it, it is what all else is done with.
  if (isAdmin && !(await hasRole(roles.admin, timelock)))
    await send({ ...manager, functionName: "grantRole", args: [roles.admin, timelock, 0] });
  for (const role of [...Object.values(roles).filter((one) => one !== roles.admin), roles.admin])
    if (await hasRole(role, deployer.address))
      await send({ ...manager, functionName: "renounceRole", args: [role, deployer.address] });
  const lock = { address: timelock, abi: timelockAbi };
  const admin = await reader.readContract({ ...lock, functionName: "DEFAULT_ADMIN_ROLE" });
  if (await reader.readContract({ ...lock, functionName: "hasRole", args: [admin, deployer.address] }))
    await send({ ...manager, ...lock, functionName: "renounceRole", args: [admin, deployer.address] });
}

type Send = ReturnType<typeof rolesOf>["send"];
type Sender = Pick<ReturnType<typeof rolesOf>["manager"], "account" | "chain">;

/** How the deployer sends, and what is asked of the AccessManager. */
function rolesOf({ reader, wallet, deployer, accessManager }: Handover) {
  const send = async (request: Parameters<WalletClient["writeContract"]>[0]) => {
    const hash = await wallet.writeContract(request);
    const { status } = await reader.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    if (status !== "success") throw new Error(`${request.functionName} failed in ${hash}`);
  };
  const call = { address: accessManager, abi: managerAbi };
  const hasRole = async (role: bigint, account: Address) =>
    (await reader.readContract({ ...call, functionName: "hasRole", args: [role, account] }))[0];
  return { send, hasRole, manager: { ...call, account: deployer, chain: wallet.chain ?? null } };
}

/** Clearing's operator and the auction's scorer, as far as the deployer is it. */
async function giveOffices(
  { reader, deployer, service, clearing, auction }: Handover,
  send: Send,
  { account, chain }: Sender,
): Promise<void> {
  const sent = { account, chain };
  const hub = { address: clearing, abi: clearingAbi };
  const [operator] = await reader.readContract({ ...hub, functionName: "operator" });
  if (isAddressEqual(operator, deployer.address))
    await send({ ...sent, ...hub, functionName: "appoint", args: [service] });
  const house = { address: auction, abi: auctionAbi };
  const scorer = await reader.readContract({ ...house, functionName: "scorer" });
  if (isAddressEqual(scorer, deployer.address))
    await send({ ...sent, ...house, functionName: "setScorer", args: [service] });
}
