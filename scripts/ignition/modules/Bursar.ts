import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { parseUnits } from "viem";

/** Hardhat's account 0 deploys; 1 to 3 own the Treasury; 0 to 9 get TestUSDC to play with. */
const deployerIndex = 0;
const ownerIndexes = [1, 2, 3];
const threshold = 2;
const funded = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

const treasuryFunds = parseUnits("1000000", 6);
const accountFunds = parseUnits("10000", 6);

/**
 * The local chain's contracts, deployed by one account strictly in this order: the addresses follow from its nonces,
 * so they are the same on every fresh chain and for every build of the compiler.
 */
export default buildModule("Bursar", (m) => {
  const from = m.getAccount(deployerIndex);
  const usdc = m.contract("TestUSDC", [from], { from });
  const treasury = m.contract("Treasury", [ownerIndexes.map((index) => m.getAccount(index)), threshold], {
    from,
    after: [usdc],
  });
  m.call(usdc, "mint", [treasury, treasuryFunds], { from, id: "fundTreasury" });
  for (const index of funded)
    m.call(usdc, "mint", [m.getAccount(index), accountFunds], {
      from,
      id: `fundAccount${index}`,
      after: [treasury],
    });
  return { usdc, treasury };
});
