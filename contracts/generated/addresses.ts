// Written by scripts/deploy.ts --write. Do not edit.

/** Where the contracts stand, by chain id. */
export const addresses = {
  31337: {
    BatchSettlement: "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003",
    Erc3009DepositCollector: "0x4020806089470a89826cB9fB1f4059150b550004",
    Multicall3: "0xcA11bde05977b3631167028862bE2a173976CA11",
    TestUSDC: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    Treasury: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
  },
} as const;
