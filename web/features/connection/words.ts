/** What the pages say about connecting a wallet. */

export const connectedWith = (wallet: string): string => `Connected with ${wallet}`;

export const accountWords = {
  connect: "Connect wallet",
  wrongNetwork: "Wrong network: switch",
  copied: "your address",
  disconnect: "Disconnect",
  developmentKeys: "Development wallet: its keys are public",
} as const;

export const connectWords = {
  title: "Connect a wallet",
  purpose: "Needed to sign and execute as an owner, not to look.",
  waiting: "Waiting for your wallet. Its window may have opened behind this one.",
  developmentWallet: "Public keys, nothing to install, local chain only",
  noWallet: {
    title: "No wallet was found in this browser",
    text: "Install one that announces itself by EIP-6963, such as Rabby, MetaMask or Frame, then reload the page.",
  },
} as const;
