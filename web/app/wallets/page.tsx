import type { Metadata } from "next";
import { WalletList } from "@/features/wallets/WalletList.tsx";
import { walletsWords } from "@/features/wallets/words.ts";
import { PageHead } from "@/ui/Section.tsx";

export const metadata: Metadata = { title: "Wallets" };

export default function WalletsPage() {
  return (
    <div className="space-y-6">
      <PageHead title="Wallets">{walletsWords.intro}</PageHead>
      <WalletList />
    </div>
  );
}
