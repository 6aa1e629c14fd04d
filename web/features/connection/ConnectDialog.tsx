"use client";
import { type Connector, useConnect, useConnectors } from "wagmi";
import { useAnnounce } from "@/lib/announcer.tsx";
import { useConnectDialog } from "@/lib/connectDialog.tsx";
import { devWalletId } from "@/lib/devWallet.ts";
import { useWebConfig } from "@/lib/session.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Spinner } from "@/ui/Button.tsx";
import { Dialog } from "@/ui/Dialog.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { connectedWith, connectWords } from "./words.ts";

/** Offers the wallets that announced themselves (EIP-6963), and the development wallet where there is one. */
export function ConnectDialog() {
  const { isOpen, close } = useConnectDialog();
  const { chainId } = useWebConfig();
  const connectors = useConnectors();
  const connect = useConnect();
  const announce = useAnnounce();

  const choose = (connector: Connector) =>
    connect.mutate(
      { connector, chainId },
      {
        onSuccess: () => {
          announce(connectedWith(connector.name));
          close();
        },
      },
    );

  return (
    <Dialog
      size="sm"
      title={connectWords.title}
      note={connectWords.purpose}
      isOpen={isOpen}
      onClose={() => {
        connect.reset();
        close();
      }}
    >
      <div className="space-y-3">
        {connectors.length === 0 && (
          <Notice title={connectWords.noWallet.title}>{connectWords.noWallet.text}</Notice>
        )}
        <ul className="space-y-2">
          {connectors.map((connector) => (
            <li key={connector.uid}>
              <WalletButton
                connector={connector}
                isAsked={connect.isPending && connect.variables?.connector === connector}
                isDisabled={connect.isPending}
                onChoose={() => choose(connector)}
              />
            </li>
          ))}
        </ul>
        {connect.isPending && <p className="text-ink-2 text-sm">{connectWords.waiting}</p>}
        {connect.error && <FailureNotice error={connect.error} />}
      </div>
    </Dialog>
  );
}

function WalletButton({
  connector,
  isAsked,
  isDisabled,
  onChoose,
}: {
  connector: Connector;
  isAsked: boolean;
  isDisabled: boolean;
  onChoose: () => void;
}) {
  return (
    <button
      type="button"
      onClick={onChoose}
      aria-disabled={isDisabled || undefined}
      className="flex min-h-14 w-full items-center gap-3 rounded-lg border border-line px-3.5 py-2 text-left hover:border-edge hover:bg-sunken"
    >
      <ConnectorMark connector={connector} />
      <span className="min-w-0 flex-1">
        <span className="block font-medium">{connector.name}</span>
        {connector.id === devWalletId && (
          <span className="block text-ink-3 text-sm">{connectWords.developmentWallet}</span>
        )}
      </span>
      {isAsked ? <Spinner /> : connector.id === devWalletId && <Badge tone="warn">Development</Badge>}
    </button>
  );
}

function ConnectorMark({ connector }: { connector: Connector }) {
  return (
    <span className="grid size-8 shrink-0 place-items-center overflow-hidden rounded-md bg-sunken text-ink-2">
      {connector.icon ? (
        // biome-ignore lint/performance/noImgElement: a data: picture from the wallet; there is nothing to optimise
        <img src={connector.icon.trim()} alt="" className="size-full" />
      ) : (
        <Icon name="wallet" />
      )}
    </span>
  );
}
