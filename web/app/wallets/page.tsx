import type { Metadata } from "next";
import { WalletList } from "@/features/wallets/WalletList.tsx";
import { PageHead } from "@/ui/Section.tsx";

export const metadata: Metadata = { title: "Wallets" };

export default function WalletsPage() {
  return (
    <div className="space-y-6">
      <PageHead title="Wallets">
        What each account holds on the chain, and what it earned and spent off it until the next settlement.
      </PageHead>
      <WalletList />
    </div>
  );
}
