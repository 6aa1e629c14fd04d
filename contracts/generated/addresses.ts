// Written by scripts/deploy.ts --write. Do not edit.

/** Where the contracts stand, by chain id. */
export const addresses = {
  31337: {
    AccessManager: "0x0DCd1Bf9A1b36cE34237eEaFef220932846BCD82",
    AgentGovernor: "0x68B1D87F95878fE05B998F19b66F4baba5De1aed",
    AgentToken: "0x0B306BF915C4d645ff596e518fAf3F9669b97016",
    BatchSettlement: "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003",
    Clearing: "0xc5a5C42992dECbae36851359345FE25997F5C42d",
    Disputes: "0x7a2088a1bFc9d81c55368AE168C2C02570cB814F",
    Erc3009DepositCollector: "0x4020806089470a89826cB9fB1f4059150b550004",
    Escrow: "0x4ed7c70F96B99c776995fB64377f0d4aB3B0e1C1",
    IdentityRegistry: "0x59b670e9fA9D0A427751Af201D676719a970857b",
    Marketplace: "0x67d269191c92Caf3cD7723F116c85e6E9bf55933",
    Multicall3: "0xcA11bde05977b3631167028862bE2a173976CA11",
    ParameterRegistry: "0x9A676e781A523b5d0C0e43731313A708CB607508",
    ReceiptAnchor: "0x84eA74d481Ee0A5332c457a4d796187F6Ba67fEB",
    ReputationRegistry: "0x322813Fd9A801c5507c9de605d63CEA4f2CE6c44",
    SchnorrVerifier: "0x4A679253410272dd5232B3Ff7cF5dbB88f295319",
    Scrip: "0xE6E340D132b5f46d1e472DebcD681B2aBc16e57E",
    Staking: "0x959922bE3CAee4b8Cd9a407cc3ac1C251C2007B1",
    Subscription: "0x09635F643e140090A9A8Dcd712eD6285858ceBef",
    TestUSDC: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    TimelockController: "0x9A9f2CCfdE556A7E9Ff0848998Aa4a0CFD8863AE",
    Treasury: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
    TreasuryFactory: "0xc6e7DF5E7b4f2A278906862b61205850344D4e7d",
    TreasuryImplementation: "0x3Aa5ebB10DC797CAC828524e59A333d0A371443c",
    ValidationRegistry: "0xa85233C63b9Ee964Add6F2cffe00Fd84eb32338f",
    VickreyAuction: "0xc3e53F4d16Ae77Db1c982e75a937B9f60FE63690",
  },
} as const;
