"use client";
import { useEffect, useId, useRef, useState } from "react";
import { useConnection, useDisconnect, useSwitchChain } from "wagmi";
import { useConnectDialog } from "@/lib/connectDialog.tsx";
import { type DevWalletControls, devOwners, devWalletId } from "@/lib/devWallet.ts";
import { notSwitchedWords } from "@/lib/failure.ts";
import { shortHex } from "@/lib/format.ts";
import { useIsHydrated } from "@/lib/hydration.ts";
import { isSameAddress, useNames } from "@/lib/names.ts";
import { useWebConfig } from "@/lib/session.tsx";
import { Button } from "@/ui/Button.tsx";
import { Copy } from "@/ui/Copy.tsx";
import { cx } from "@/ui/cx.ts";
import { Icon } from "@/ui/Icon.tsx";
import { accountWords, connectedWith } from "./words.ts";

/** Who is connected; opens the account's menu, or the choice of wallets. */
export function ConnectButton() {
  const { address, status, chainId } = useConnection();
  const config = useWebConfig();
  const dialog = useConnectDialog();
  const switchChain = useSwitchChain();
  // A click before the page can act would be lost.
  const isHydrated = useIsHydrated();
  if (!address)
    return (
      <Button look="primary" onClick={dialog.open} disabled={!isHydrated} isBusy={status === "connecting"}>
        {accountWords.connect}
      </Button>
    );
  if (chainId !== config.chainId)
    return (
      <div className="relative">
        <Button
          look="danger"
          isBusy={switchChain.isPending}
          onClick={() => switchChain.mutate({ chainId: config.chainId })}
        >
          <Icon name="alert" />
          {accountWords.wrongNetwork}
        </Button>
        {switchChain.error && (
          <p
            role="alert"
            className="absolute right-0 z-40 mt-1.5 w-72 rounded-xl border border-line bg-surface px-4 py-3 text-sm shadow-lifted"
          >
            {notSwitchedWords(switchChain.error)}
          </p>
        )}
      </div>
    );
  return <AccountMenu address={address} />;
}

function AccountMenu({ address }: { address: `0x${string}` }) {
  const { connector } = useConnection();
  const disconnect = useDisconnect();
  const names = useNames();
  const [isOpen, setOpen] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  const id = useId();
  const isDevelopment = connector?.id === devWalletId;
  const name = devName(isDevelopment, address) ?? names.get(address.toLowerCase());

  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = (event: Event) => {
      if (!ref.current?.contains(event.target as Node)) setOpen(false);
    };
    const closeOnEscape = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("focusin", closeOutside);
    document.addEventListener("keydown", closeOnEscape);
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("focusin", closeOutside);
      document.removeEventListener("keydown", closeOnEscape);
    };
  }, [isOpen]);

  return (
    <div ref={ref} className="relative">
      <Button aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)} className="px-2.5">
        <span
          aria-hidden="true"
          className={cx("size-2 rounded-full", isDevelopment ? "bg-warn" : "bg-good")}
        />
        {name && <span>{name}</span>}
        <span className={cx("font-mono text-xs", name && "hidden text-ink-3 sm:inline")}>
          {shortHex(address)}
        </span>
        <Icon name="chevron" className="size-3.5 text-ink-3" />
      </Button>
      {isOpen && (
        <div
          id={id}
          className="absolute right-0 z-40 mt-1.5 w-72 rounded-xl border border-line bg-surface p-1.5 shadow-lifted"
        >
          <div className="px-2.5 py-2">
            <p className="text-ink-3 text-xs">{connectedWith(connector?.name ?? "")}</p>
            <p className="flex items-center gap-1 font-mono text-xs [overflow-wrap:anywhere]">
              {address}
              <Copy text={address} what={accountWords.copied} />
            </p>
          </div>
          {isDevelopment && <DevOwners address={address} />}
          <button
            type="button"
            onClick={() => disconnect.mutate({})}
            className="flex min-h-9 w-full items-center rounded-md px-2.5 text-left text-sm hover:bg-sunken"
          >
            {accountWords.disconnect}
          </button>
        </div>
      )}
    </div>
  );
}

/** Development only: become another owner without installing anything. */
function DevOwners({ address }: { address: string }) {
  const { connector } = useConnection();
  return (
    <fieldset className="my-1 rounded-lg bg-warn-soft/70 px-2.5 py-2">
      <legend className="float-left mb-1.5 w-full text-warn text-xs">{accountWords.developmentKeys}</legend>
      <div className="clear-both grid grid-cols-3 gap-1">
        {devOwners.map(({ label, account }, index) => (
          <button
            key={account.address}
            type="button"
            aria-pressed={isSameAddress(account.address, address)}
            onClick={() => (connector as unknown as DevWalletControls | undefined)?.choose(index)}
            className="min-h-8 rounded-md border border-warn/30 bg-surface text-sm aria-pressed:border-accent aria-pressed:bg-accent aria-pressed:font-medium aria-pressed:text-on-accent"
          >
            {label}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

const devName = (isDevelopment: boolean, address: string): string | undefined =>
  isDevelopment ? devOwners.find(({ account }) => isSameAddress(account.address, address))?.label : undefined;
