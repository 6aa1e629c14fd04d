import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { artifacts, network } from "hardhat";
import {
  type Abi,
  type Hex,
  hashTypedData,
  hexToBigInt,
  numberToHex,
  parseAbi,
  stringToHex,
  toEventSelector,
  toFunctionSelector,
  zeroAddress,
} from "viem";

/** The standards' surfaces, written out from their texts; selectors and topics are viem's. */
const standards: Record<string, { contracts: string[]; functions: string[]; events?: string[] }> = {
  "ERC-20": {
    contracts: ["AgentToken", "Scrip", "TestUSDC"],
    functions: [
      "totalSupply()",
      "balanceOf(address)",
      "transfer(address,uint256)",
      "transferFrom(address,address,uint256)",
      "approve(address,uint256)",
      "allowance(address,address)",
    ],
    events: ["Transfer(address,address,uint256)", "Approval(address,address,uint256)"],
  },
  "ERC-2612": {
    contracts: ["AgentToken", "Scrip", "TestUSDC"],
    functions: [
      "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
      "nonces(address)",
      "DOMAIN_SEPARATOR()",
    ],
  },
  "ERC-3009": {
    contracts: ["AgentToken", "TestUSDC"],
    functions: [
      "authorizationState(address,bytes32)",
      "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
      "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
      "cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)",
    ],
    events: ["AuthorizationUsed(address,bytes32)", "AuthorizationCanceled(address,bytes32)"],
  },
  "ERC-5805 and ERC-6372": {
    contracts: ["AgentToken"],
    functions: [
      "getVotes(address)",
      "getPastVotes(address,uint256)",
      "delegates(address)",
      "delegate(address)",
      "delegateBySig(address,uint256,uint256,uint8,bytes32,bytes32)",
      "clock()",
      "CLOCK_MODE()",
    ],
    events: ["DelegateChanged(address,address,address)", "DelegateVotesChanged(address,uint256,uint256)"],
  },
  "ERC-1271": { contracts: ["Treasury"], functions: ["isValidSignature(bytes32,bytes)"] },
  "ERC-8004 identity": {
    contracts: ["IdentityRegistry"],
    functions: [
      "register()",
      "register(string)",
      "register(string,(string,bytes)[])",
      "setAgentURI(uint256,string)",
      "getMetadata(uint256,string)",
      "setMetadata(uint256,string,bytes)",
      "setAgentWallet(uint256,address,uint256,bytes)",
      "getAgentWallet(uint256)",
      "unsetAgentWallet(uint256)",
      "ownerOf(uint256)",
      "tokenURI(uint256)",
    ],
    events: [
      "Registered(uint256,string,address)",
      "URIUpdated(uint256,string,address)",
      "MetadataSet(uint256,string,string,bytes)",
    ],
  },
  "ERC-8004 reputation": {
    contracts: ["ReputationRegistry"],
    functions: [
      "getIdentityRegistry()",
      "giveFeedback(uint256,int128,uint8,string,string,string,string,bytes32)",
      "revokeFeedback(uint256,uint64)",
      "appendResponse(uint256,address,uint64,string,bytes32)",
      "getSummary(uint256,address[],string,string)",
      "readFeedback(uint256,address,uint64)",
      "readAllFeedback(uint256,address[],string,string,bool)",
      "getResponseCount(uint256,address,uint64,address[])",
      "getClients(uint256)",
      "getLastIndex(uint256,address)",
    ],
    events: [
      "NewFeedback(uint256,address,uint64,int128,uint8,string,string,string,string,string,bytes32)",
      "FeedbackRevoked(uint256,address,uint64)",
      "ResponseAppended(uint256,address,uint64,address,string,bytes32)",
    ],
  },
  "ERC-8004 validation": {
    contracts: ["ValidationRegistry"],
    functions: [
      "getIdentityRegistry()",
      "validationRequest(address,uint256,string,bytes32)",
      "validationResponse(bytes32,uint8,string,bytes32,string)",
      "getValidationStatus(bytes32)",
      "getSummary(uint256,address[],string)",
      "getAgentValidations(uint256)",
      "getValidatorRequests(address)",
    ],
    events: [
      "ValidationRequest(address,uint256,string,bytes32)",
      "ValidationResponse(address,uint256,bytes32,uint8,string,bytes32,string)",
    ],
  },
  "ERC-8183": {
    contracts: ["Escrow"],
    functions: [
      "createJob(address,address,uint256,string,address)",
      "setProvider(uint256,address,bytes)",
      "setBudget(uint256,uint256,bytes)",
      "fund(uint256,uint256,bytes)",
      "submit(uint256,bytes32,bytes)",
      "complete(uint256,bytes32,bytes)",
      "reject(uint256,bytes32,bytes)",
      "claimRefund(uint256)",
    ],
    events: [
      "JobCreated(uint256,address,address,address,uint256)",
      "ProviderSet(uint256,address)",
      "BudgetSet(uint256,uint256)",
      "JobFunded(uint256,address,uint256)",
      "JobSubmitted(uint256,address,bytes32)",
      "JobCompleted(uint256,address,bytes32)",
      "JobRejected(uint256,address,bytes32)",
      "JobExpired(uint256)",
      "PaymentReleased(uint256,address,uint256)",
      "Refunded(uint256,address,uint256)",
    ],
  },
  "ERC-792 arbitrator": {
    contracts: ["Disputes"],
    functions: [
      "createDispute(uint256,bytes)",
      "arbitrationCost(bytes)",
      "appeal(uint256,bytes)",
      "appealCost(uint256,bytes)",
      "appealPeriod(uint256)",
      "disputeStatus(uint256)",
      "currentRuling(uint256)",
    ],
    events: [
      "DisputeCreation(uint256,address)",
      "AppealPossible(uint256,address)",
      "AppealDecision(uint256,address)",
    ],
  },
  "ERC-792 arbitrable and ERC-1497": {
    contracts: ["Escrow"],
    functions: ["rule(uint256,uint256)"],
    events: [
      "Ruling(address,uint256,uint256)",
      "MetaEvidence(uint256,string)",
      "Evidence(address,uint256,address,string)",
      "Dispute(address,uint256,uint256,uint256)",
    ],
  },
};

/** ERC-165: the exclusive or of an interface's selectors. */
const interfaceId = (functions: readonly string[]): Hex =>
  numberToHex(
    functions.reduce((id, text) => id ^ hexToBigInt(toFunctionSelector(text)), 0n),
    { size: 4 },
  );

describe("Standards' surfaces", async () => {
  const { viem } = await network.create();
  const [admin] = await viem.getWalletClients();
  assert(admin);
  const chainId = await (await viem.getPublicClient()).getChainId();

  for (const [standard, { contracts, functions, events = [] }] of Object.entries(standards))
    it(`${standard}: ${contracts.join(", ")}`, async () => {
      for (const contract of contracts) {
        const { abi } = await artifacts.readArtifact(contract);
        const items = abi as Abi;
        const selectors = new Set(
          items.flatMap((item) => (item.type === "function" ? toFunctionSelector(item) : [])),
        );
        const topics = new Set(items.flatMap((item) => (item.type === "event" ? toEventSelector(item) : [])));
        for (const text of functions)
          assert(selectors.has(toFunctionSelector(text)), `${contract} has ${text}`);
        for (const text of events) assert(topics.has(toEventSelector(text)), `${contract} emits ${text}`);
      }
    });

  it("ERC-165: every id that is claimed is its functions', and nothing else is claimed", async () => {
    const token = await viem.deployContract("TestUSDC", [admin.account.address]);
    const escrow = await viem.deployContract("Escrow", [token.address, ""]);
    const scopes = await viem.deployContract("Scopes");
    const treasury = await viem.deployContract("Treasury", [[admin.account.address], 1n, scopes.address]);
    const identity = await viem.deployContract("IdentityRegistry");
    const disputes = await viem.deployContract("Disputes", [
      zeroAddress,
      zeroAddress,
      zeroAddress,
      zeroAddress,
    ]);
    const functionsOf = (standard: string) => standards[standard]?.functions ?? [];
    const asked: Record<string, (id: Hex) => Promise<boolean>> = {
      escrow: (id) => escrow.read.supportsInterface([id]),
      disputes: (id) => disputes.read.supportsInterface([id]),
      treasury: (id) => treasury.read.supportsInterface([id]),
      identity: (id) => identity.read.supportsInterface([id]),
    };
    const claimed: Record<string, Hex[]> = {
      escrow: [
        interfaceId(functionsOf("ERC-8183")),
        interfaceId(functionsOf("ERC-792 arbitrable and ERC-1497")),
      ],
      disputes: [interfaceId(functionsOf("ERC-792 arbitrator"))],
      // ERC-1271, and the receivers of ERC-721 and ERC-1155.
      treasury: ["0x1626ba7e", "0x150b7a02", "0x4e2312e0"],
      identity: ["0x80ac58cd"],
    };
    for (const [name, supports] of Object.entries(asked)) {
      for (const id of [...(claimed[name] ?? []), "0x01ffc9a7"] as Hex[])
        assert(await supports(id), `${name} claims ${id}`);
      assert.equal(await supports("0xffffffff"), false, name);
    }
  });

  it("EIP-712: settlements, credit receipts and deposits, scores and attestations hash as viem hashes them", async () => {
    const token = await viem.deployContract("TestUSDC", [admin.account.address]);
    const escrow = await viem.deployContract("Escrow", [token.address, ""]);
    const clearing = await viem.deployContract("Clearing", [
      admin.account.address,
      zeroAddress,
      zeroAddress,
      zeroAddress,
    ]);
    const auction = await viem.deployContract("VickreyAuction", [
      zeroAddress,
      {
        scrip: zeroAddress,
        agents: zeroAddress,
        parameters: zeroAddress,
        scorer: zeroAddress,
        commitSeconds: 1,
        revealSeconds: 1,
      },
    ]);
    const domain = (name: string, verifyingContract: Hex) => ({
      name,
      version: "1",
      chainId,
      verifyingContract,
    });
    const uint = <Name extends string>(name: Name) => ({ name, type: "uint256" }) as const;

    assert.equal(
      await escrow.read.settlementDigest([{ jobId: 7n, sellerAmount: 8n, buyerAmount: 9n, deadline: 10n }]),
      hashTypedData({
        domain: domain("Escrow", escrow.address),
        types: {
          Settlement: [uint("jobId"), uint("sellerAmount"), uint("buyerAmount"), uint("deadline")],
        },
        primaryType: "Settlement",
        message: { jobId: 7n, sellerAmount: 8n, buyerAmount: 9n, deadline: 10n },
      }),
    );
    const receipt = {
      ...{ token: token.address, payee: admin.account.address },
      ...{ cumulative: 5n, epoch: 6n, office: 7, expiresAt: 8 },
    };
    assert.equal(
      await clearing.read.receiptDigest([receipt]),
      hashTypedData({
        domain: domain("Clearing", clearing.address),
        types: {
          CreditReceipt: [
            { name: "token", type: "address" },
            { name: "payee", type: "address" },
            { name: "cumulative", type: "uint128" },
            { name: "epoch", type: "uint64" },
            { name: "office", type: "uint32" },
            { name: "expiresAt", type: "uint40" },
          ],
        },
        primaryType: "CreditReceipt",
        message: receipt,
      }),
    );
    const channel = numberToHex(4, { size: 32 });
    assert.equal(
      await clearing.read.depositDigest([token.address, channel, 5n, 6n, 7n]),
      hashTypedData({
        domain: domain("Clearing", clearing.address),
        types: {
          CreditDeposit: [
            { name: "token", type: "address" },
            { name: "channelId", type: "bytes32" },
            uint("amount"),
            uint("nonce"),
            uint("deadline"),
          ],
        },
        primaryType: "CreditDeposit",
        message: { token: token.address, channelId: channel, amount: 5n, nonce: 6n, deadline: 7n },
      }),
    );
    assert.equal(
      await auction.read.scoreDigest([3n, 4n]),
      hashTypedData({
        domain: domain("VickreyAuction", auction.address),
        types: {
          Score: [uint("round"), uint("agentId"), { name: "artifactHash", type: "bytes32" }, uint("score")],
        },
        primaryType: "Score",
        message: { round: 3n, agentId: 0n, artifactHash: numberToHex(0, { size: 32 }), score: 4n },
      }),
    );
    const verifier = await viem.deployContract("AttestationVerifier", [zeroAddress]);
    const word = (value: bigint | Hex) => numberToHex(BigInt(value), { size: 32 });
    const attestation = {
      registry: escrow.address,
      requestHash: word(1n),
      agentId: 2n,
      policy: word(3n),
      nonce: word(4n),
      issuer: admin.account.address,
      validUntil: 5n,
    };
    const { registry, requestHash, agentId, policy, nonce, issuer, validUntil } = attestation;
    const inputs = [requestHash, word(agentId), policy, nonce, word(issuer), word(validUntil)];
    assert.equal(
      await verifier.read.attestationDigest([registry, inputs]),
      hashTypedData({
        domain: domain("AttestationVerifier", verifier.address),
        types: {
          Attestation: [
            { name: "registry", type: "address" },
            { name: "requestHash", type: "bytes32" },
            uint("agentId"),
            { name: "policy", type: "bytes32" },
            { name: "nonce", type: "bytes32" },
            { name: "issuer", type: "address" },
            uint("validUntil"),
          ],
        },
        primaryType: "Attestation",
        message: attestation,
      }),
    );
  });

  it("EIP-712: AVT's permit and votes share one domain, as viem signs for it", async () => {
    const manager = await viem.deployContract("AccessManager", [admin.account.address]);
    const avt = await viem.deployContract("AgentToken", [manager.address]);
    const [fields, name, version, id, verifyingContract] = await avt.read.eip712Domain();
    assert.deepEqual(
      [fields, name, version, id, verifyingContract.toLowerCase()],
      ["0x0f", "AgentVault Token", "1", BigInt(chainId), avt.address.toLowerCase()],
    );
    const nonce = stringToHex("random", { size: 32 });
    const abi = parseAbi(["function authorizationState(address,bytes32) view returns (bool)"]);
    const client = await viem.getPublicClient();
    assert.equal(
      await client.readContract({
        address: avt.address,
        abi,
        functionName: "authorizationState",
        args: [admin.account.address, nonce],
      }),
      false,
      "nonces are any 32 bytes",
    );
  });
});
