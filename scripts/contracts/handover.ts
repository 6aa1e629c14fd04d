import { type Account, type Address, type PublicClient, parseAbi, type WalletClient } from "viem";
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

/** What is handed over, and by whom. */
export interface Handover {
  reader: PublicClient;
  wallet: WalletClient;
  deployer: Account;
  accessManager: Address;
  timelock: Address;
}

/**
 * Makes the timelock, and with it the vote of AVT, the only admin of the whole set; the deployer keeps nothing but the
 * anchorer's role, which is the service's. Safe to repeat: what is done is left alone.
 */
export async function handOver({
  reader,
  wallet,
  deployer,
  accessManager,
  timelock,
}: Handover): Promise<void> {
  const send = async (request: Parameters<WalletClient["writeContract"]>[0]) => {
    const hash = await wallet.writeContract(request);
    const { status } = await reader.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    if (status !== "success") throw new Error(`${request.functionName} failed in ${hash}`);
  };
  const hasRole = async (role: bigint, account: Address) =>
    (
      await reader.readContract({
        address: accessManager,
        abi: managerAbi,
        functionName: "hasRole",
        args: [role, account],
      })
    )[0];
  const common = { account: deployer, chain: wallet.chain ?? null };
  const manager = { ...common, address: accessManager, abi: managerAbi };

  // The admin's role goes last: until the timelock has it, it is what all else is done with.
  if (!(await hasRole(roles.admin, timelock)))
    await send({ ...manager, functionName: "grantRole", args: [roles.admin, timelock, 0] });
  for (const role of [roles.minter, roles.scripMinter, roles.slasher, roles.bonder, roles.admin])
    if (await hasRole(role, deployer.address))
      await send({ ...manager, functionName: "renounceRole", args: [role, deployer.address] });
  const lock = { address: timelock, abi: timelockAbi };
  const admin = await reader.readContract({ ...lock, functionName: "DEFAULT_ADMIN_ROLE" });
  if (await reader.readContract({ ...lock, functionName: "hasRole", args: [admin, deployer.address] }))
    await send({ ...common, ...lock, functionName: "renounceRole", args: [admin, deployer.address] });
}
