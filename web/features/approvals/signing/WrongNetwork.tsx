"use client";
import { useConnection, useSwitchChain } from "wagmi";
import { notSwitchedWords } from "@/lib/failure.ts";
import { useWebConfig } from "@/lib/session.tsx";
import { Button } from "@/ui/Button.tsx";
import { Notice } from "@/ui/Notice.tsx";
import { decisionWords } from "../words.ts";

/** Whether the connected wallet is on another chain than the Treasury: nothing can be signed there. */
export function useIsElsewhere(): boolean {
  const { address, chainId } = useConnection();
  const config = useWebConfig();
  return address !== undefined && chainId !== config.chainId;
}

/** Where the wallet is, and the way back. */
export function WrongNetwork() {
  const { chainId } = useConnection();
  const config = useWebConfig();
  const switchChain = useSwitchChain();
  return (
    <Notice
      isAlert
      tone="warn"
      title={decisionWords.wrongChain(chainId)}
      action={
        <Button
          isBusy={switchChain.isPending}
          onClick={() => switchChain.mutate({ chainId: config.chainId })}
        >
          {decisionWords.switchChain}
        </Button>
      }
    >
      <p>{decisionWords.rightChain(config.chainId)}</p>
      {switchChain.error && <p className="mt-1">{notSwitchedWords(switchChain.error)}</p>}
    </Notice>
  );
}
